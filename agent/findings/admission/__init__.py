"""Findings about objects that an API server or a controller refused."""
