"""`argocd-assistant llama-stack`: the server that holds the sessions, installed, configured and started.

`distributions` has the files that ship in `serve/llama-stack`, `environment` installs the pinned packages, `backend`
looks at the inference server behind it, `run` joins them.
"""
