"""Findings about nodes and namespaces."""
