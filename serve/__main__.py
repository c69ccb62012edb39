"""`python -m serve`: the server without the console script."""

import argparse
import sys

from serve.shadowed import check_package

check_package()

from agent.errors import AssistantError  # noqa: E402 - after the check
from serve.run import GRACE_SECONDS, run_server  # noqa: E402


def main() -> None:
    """Reads the arguments and serves."""
    parser = argparse.ArgumentParser(prog="python -m serve", description="Serves the assistant over HTTP.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080, help="0 takes a free one")
    parser.add_argument("--model", help="MLflow model URI; the code in place by default")
    parser.add_argument("--workers", type=int, default=1, help="processes that share the port")
    parser.add_argument("--access-log", action="store_true", help="log every request, those of probes too")
    parser.add_argument(
        "--grace-seconds", type=int, default=GRACE_SECONDS, help="how long running answers may go on after SIGTERM"
    )
    arguments = parser.parse_args()
    try:
        run_server(
            host=arguments.host,
            port=arguments.port,
            model=arguments.model,
            workers=arguments.workers,
            access_log=arguments.access_log,
            grace_seconds=arguments.grace_seconds,
        )
    except AssistantError as error:
        sys.stderr.write(f"error: {error.public_message}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
