"""Argo CD as a source: its API, its resource tree, and what is read of an Application."""
