"""Kubernetes and Argo CD objects as values: manifests, references, selectors, times, quantities. No I/O."""
