"""Findings about Pods and what runs them."""
