"""A backend with the pace of a fast model: 150 ms to the first token, 10 ms from each to the next.

python -m tests.benchmarks.paced_backend PORT TOKENS
"""

import sys

import uvicorn

from tests.fakes.openai_backend import Reply, ScriptedBackend

FIRST_AFTER = 0.15
PACE = 0.01


def main() -> None:
    """The command line above."""
    port, tokens = int(sys.argv[1]), int(sys.argv[2])
    backend = ScriptedBackend()
    backend.answer(Reply(deltas=["word "] * tokens, first_after=FIRST_AFTER, pace=PACE, usage=(1_000, tokens)))
    uvicorn.run(backend.app, port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
