"""The README says what is true: its Python runs, its tables are those of the code."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pytest_examples import CodeExample, EvalExample, find_examples

from agent import errors
from agent.context.kubernetes.api import BUILT_IN
from agent.errors import AssistantError
from agent.settings import Settings
from agent.turn.parse import custom_inputs
from tests.conftest import TraceStore

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.parametrize("example", list(find_examples(README)), ids=lambda example: f"line {example.start_line}")
def test_python_examples_run(example: CodeExample, eval_example: EvalExample, traces: TraceStore) -> None:
    printed: list[str] = []

    def remember(*values: object, **_: object) -> None:
        printed.extend(map(str, values))

    eval_example.run(example, module_globals={"print": remember})

    assert "ErrImagePull" in " ".join(printed)


def table_after(heading: str) -> Iterator[list[str]]:
    """The cells of each row of the first table below a heading."""
    lines = README.read_text().split(f"## {heading}\n", 1)[1].splitlines()
    for line in lines:
        if line.startswith("## "):
            return
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def test_every_setting_stands_in_the_configuration_table_with_its_default() -> None:
    rows = {row[0].strip("`"): row for row in table_after("Configuration")}

    assert list(rows) == [str(field.alias) for field in Settings.model_fields.values()]
    for field in Settings.model_fields.values():
        row = rows[str(field.alias)]
        default = (
            ""
            if field.default is None
            else f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"
        )
        assert row[1:] == [default, field.description], f"README row of {field.alias}"


def test_every_error_stands_in_the_table_of_errors_with_its_status() -> None:
    rows = {row[0].strip("`"): row[1] for row in table_after("Errors")}
    ours = {
        kind.code: str(kind.http_status)
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, AssistantError) and not kind.__subclasses__()
    }

    assert {code: status for code, status in rows.items() if code in ours} == ours
    assert "invalid_request" in rows


def test_every_custom_input_stands_in_the_table_of_the_request() -> None:
    assert [row[0].strip("`") for row in table_after("Request")] == list(custom_inputs().model_fields)


def test_every_file_of_the_map_exists() -> None:
    """A row begins with its folder; the names after it are those in this folder."""
    rows = README.read_text().split("## Where things are")[1].split("##")[0].splitlines()
    root, named = README.parent, [re.findall(r"`([\w/]+(?:\.\w+|/))`", row) for row in rows]

    assert any(named)
    missing = [
        name
        for folder, *names in filter(None, named)
        for name in (folder, *names)
        if not any((root / part / name).exists() for part in ("", folder))
    ]
    assert missing == []


def test_the_cluster_role_lets_every_built_in_kind_be_read_and_nothing_be_changed() -> None:
    (text,) = re.findall(r"```yaml\n(apiVersion: rbac.*?)```", README.read_text(), re.DOTALL)
    rules = yaml.safe_load(text)["rules"]
    granted = {(group, each) for rule in rules for group in rule["apiGroups"] for each in rule["resources"]}

    assert {(kind.group, kind.plural) for kind in BUILT_IN.values()} | {("", "pods/log")} <= granted
    assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "list"}
