"""A real small model on llama.cpp, with llama-stack, OGX or nothing before it. Run by `make test-model` alone."""

import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.cli.llama_stack.environment import install
from tests.docs.pages import ROOT
from tests.fakes.server import free_port, running
from tests.integration.llama_stack_servers import LLAMA_STACK, OGX, running_server
from tests.integration.processes import server_process
from tests.model.counting import Counting

_INSTALLER = dict(os.environ)  # taken before HOME is a test's own
_KINDS = {"llama-stack": LLAMA_STACK, "ogx": OGX}
WINDOWS = (2_048, 4_096, 8_192)


@dataclass(frozen=True, slots=True)
class Model:
    """The model behind one server. `url` and `name` are for the assistant, `window` is in tokens."""

    server: str
    window: int
    url: str
    name: str
    counting: Counting


@pytest.fixture(scope="session")
def llama_cpp() -> Path:
    """The Python of the environment with llama.cpp and the model."""
    environment = ROOT / ".cache" / "model"
    install((Path(__file__).parent / "requirements.txt").read_text(), environment, variables=_INSTALLER)
    return environment / "bin" / "python"


@contextmanager
def _running_model(llama_cpp: Path, server: str, window: int, folder: Path) -> Generator[Model]:
    with ExitStack() as stack:
        port = free_port()
        script = Path(__file__).parent / "llama_cpp_server.py"
        process = server_process(
            [llama_cpp, script, str(window), str(port)],
            url=f"http://127.0.0.1:{port}",
            health="/health",
            cwd=folder,
            env={"PATH": os.defpath, "HOME": str(folder)},
        )
        counting = Counting(stack.enter_context(process).url)
        backend = stack.enter_context(running(counting.app))
        if server == "direct":
            yield Model(server, window, backend, "smollm2", counting)
            return
        data = folder / "data"
        data.mkdir()
        url = stack.enter_context(running_server(_KINDS[server], backend_url=f"{backend}/v1", data=data))
        yield Model(server, window, url, "backend/smollm2", counting)


@pytest.fixture(scope="module", params=WINDOWS)
def window(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture(scope="module", params=["direct", *_KINDS])
def model(
    request: pytest.FixtureRequest, window: int, llama_cpp: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Model]:
    folder = tmp_path_factory.mktemp(request.param)
    with _running_model(llama_cpp, request.param, window, folder) as started:
        yield started
