"""The notebooks run to their last cell in an empty folder with the built wheel, and show what they should."""

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, cast

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell  # pyright: ignore[reportUnknownVariableType]

from agent.mlflow.evaluation.sets import SETS

ROOT = Path(__file__).parents[1]
# What each notebook must have shown at its end.
SHOWN = {
    "quickstart": ("OOMKilled", "payments-migrate-0042", "CHAT_MODEL"),
    "traces_and_evaluation": ("| **all** | 10 |", "0 broken, 10 unchanged", "root_cause_first", "OOMKilled"),
}
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def outputs(notebook: Any) -> str:
    """Everything the notebook printed or showed, as text."""
    texts: list[str] = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = cast("dict[str, str]", output.get("data", {}))
            texts += [str(output.get("text", "")), data.get("text/plain", ""), data.get("text/markdown", "")]
    return "\n".join(texts)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the built wheel in it. A wheel of Python code alone is installed by being unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    packages = folder / "site-packages"
    zipfile.ZipFile(wheel).extractall(packages)
    return packages


@pytest.mark.integration
@pytest.mark.filterwarnings("default")  # of Jupyter's own messaging
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_runs_outside_a_checkout(
    path: Path, tmp_path: Path, installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = cast("Any", nbformat.read(path, as_version=4))  # pyright: ignore[reportUnknownMemberType]
    notebook.cells.append(new_code_cell("import agent\nprint(agent.__file__)"))
    monkeypatch.setenv("PYTHONPATH", str(installed))  # before the checkout, which this Python knows

    NotebookClient(notebook, timeout=600, kernel_name="python3").execute(cwd=str(tmp_path))

    shown = outputs(notebook)
    assert [text for text in SHOWN[path.stem] if text not in shown] == []
    assert str(installed / "agent" / "__init__.py") in shown


def test_the_wheel_holds_the_scenarios_and_none_of_the_tests(installed: Path) -> None:
    shipped = installed / "argocd_assistant_scenarios"
    checkout = ROOT / "tests" / "scenarios"
    folders = {path.parent.relative_to(shipped) for path in shipped.glob("*/*/expected.yaml")}

    assert folders == {path.parent.relative_to(checkout) for path in checkout.glob("*/*/expected.yaml")}
    assert {folder.parts[0] for folder in folders} <= {path.name for path in shipped.iterdir()} <= set(SETS)
    assert list(shipped.rglob("*.py")) == []
    assert {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")} == {
        "agent",
        "argocd_assistant_scenarios",
        "serve",
    }


def test_every_notebook_is_tested_and_says_how_to_open_it() -> None:
    assert [path.stem for path in NOTEBOOKS] == list(SHOWN)
    for path in NOTEBOOKS:
        assert f"jupyter lab {path.name}" in path.read_text()


def test_the_stored_outputs_name_no_machine() -> None:
    for path in NOTEBOOKS:
        assert "/home/" not in path.read_text()
        assert "/tmp/" not in path.read_text()
