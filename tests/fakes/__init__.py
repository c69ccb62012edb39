"""Real HTTP servers in place of what cannot run in a test: a model, a cluster, Argo CD, Lightspeed."""
