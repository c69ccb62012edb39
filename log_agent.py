"""Logs the assistant to MLflow, registers it as `argocd-assistant@champion`, and says how to serve and ask it.

    python log_agent.py

Environment: MLFLOW_TRACKING_URI, MLFLOW_EXPERIMENT_NAME, MLFLOW_MODEL_NAME. No llama-stack server needs to be up.
"""

import sys

from agent.errors import SettingsError
from agent.mlflow.registration import log_and_register


def main() -> None:
    """Logs, registers, and prints what to do next."""
    try:
        model = log_and_register()
    except SettingsError as error:
        sys.exit(f"error: {error.public_message}")
    print(
        f"""\
Logged and registered {model.name} version {model.version} as {model.uri}
Its instructions are {model.instructions}: a team's own version of them is used where ASSISTANT_INSTRUCTIONS names it

Serve it (JSON and, with "stream": true, server-sent events on /invocations):
  MLFLOW_TRACKING_URI={model.tracking_uri} mlflow models serve -m {model.uri} --env-manager local -p 5001
or with readiness, OpenAI's /responses and heartbeats as well:
  MLFLOW_TRACKING_URI={model.tracking_uri} argocd-assistant serve --model {model.uri} --port 5001

Ask it:
  curl -N http://127.0.0.1:5001/invocations -H 'Content-Type: application/json' \\
    -d '{{"stream": true, "input": [{{"role": "user", "content": "Why is it degraded?"}}], \
"custom_inputs": {{"application": "argocd/guestbook"}}}}'

See the traces (experiment {model.experiment_id}):
  mlflow ui --backend-store-uri {model.tracking_uri} --port 5000"""
    )


if __name__ == "__main__":
    main()
