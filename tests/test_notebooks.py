"""The notebooks run from the first cell to the last, and show what they promise."""

from pathlib import Path
from typing import Any, cast

import nbformat
import pytest
from nbclient import NotebookClient

# What each notebook must have shown at its end.
SHOWN = {
    "quickstart": ("OOMKilled", "payments-migrate-0042", "CHAT_MODEL"),
    "traces_and_evaluation": ("| **all** | 10 |", "0 broken, 10 unchanged", "root_cause_first", "OOMKilled"),
}
NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


def outputs(notebook: Any) -> str:
    """Everything the notebook printed or showed, as text."""
    texts: list[str] = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = cast("dict[str, str]", output.get("data", {}))
            texts += [str(output.get("text", "")), data.get("text/plain", ""), data.get("text/markdown", "")]
    return "\n".join(texts)


@pytest.mark.integration
@pytest.mark.filterwarnings("default")  # of Jupyter's own messaging
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_runs(path: Path, tmp_path: Path) -> None:
    notebook = cast("Any", nbformat.read(path, as_version=4))  # pyright: ignore[reportUnknownMemberType]

    NotebookClient(notebook, timeout=600, kernel_name="python3").execute(cwd=str(tmp_path))

    shown = outputs(notebook)
    assert [text for text in SHOWN[path.stem] if text not in shown] == []


def test_every_notebook_is_tested() -> None:
    assert [path.stem for path in NOTEBOOKS] == list(SHOWN)


def test_the_stored_outputs_name_no_machine() -> None:
    for path in NOTEBOOKS:
        assert "/home/" not in path.read_text()
        assert "/tmp/" not in path.read_text()
