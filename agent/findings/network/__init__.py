"""Findings about Services, Ingresses, NetworkPolicies and connections that fail."""
