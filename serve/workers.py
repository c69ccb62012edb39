"""Several server processes on one port, because an event loop uses one core only.

uvicorn's supervisor starts them, gives them the socket, replaces one that died or hangs, and ends them all. What the
processes share is outside of them: sessions live on the provider's server, traces in their store.
"""

import sys

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors.multiprocess import Multiprocess, Process

START_SECONDS = 60.0
"""How long the next process waits at most for the one before it to be ready."""


def run_workers(config: uvicorn.Config) -> None:
    """Serves `config`, an app factory and its number of `workers`, until SIGTERM or SIGINT; then the process ends with
    status 0. Raises SystemExit(3) when a worker could not start.

    The factory is called in each worker, so it is to be importable by its name (a function, or a partial of one).
    """
    listening = config.bind_socket()
    listening.listen(config.backlog)  # who comes before the first worker is ready waits for it
    supervisor = _OneAfterTheOther(config, [listening])
    try:
        supervisor.run()
    finally:
        listening.close()
    sys.exit(STARTUP_FAILURE if supervisor.has_failed else 0)


class _OneAfterTheOther(Multiprocess):
    """Starts the first worker alone: it makes the tables of a new trace store, which several at once fail to do."""

    @property
    def has_failed(self) -> bool:
        return any(process.exitcode == STARTUP_FAILURE for process in self.processes)

    def init_processes(self) -> None:
        for _ in range(self.processes_num):
            process = Process(self.config, self.sockets)
            process.start()
            self.processes.append(process)
            ready = process.wait_until_ready(START_SECONDS, self.should_exit)
            if self.signal_queue or (not ready and process.exitcode is not None):
                break  # it is to end, or would fail again: `run` sees to it
