"""Findings about volumes and claims."""
