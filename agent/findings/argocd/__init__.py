"""Findings about Applications: sync, health, conditions, projects, drift, deletion."""
