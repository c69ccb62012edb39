"""What people paste into a question: the output of kubectl and argocd, fenced YAML, JSON and logs, error messages.

`reading.read_pasted` is the way in. One module for each form; every module returns raw objects as the APIs of
Kubernetes and Argo CD give them, so that all later steps treat them like those that a caller supplies. Nothing is
invented: what a form does not hold is absent, and `Pasted.notes` names the command that gives all of it.
"""
