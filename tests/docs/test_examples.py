"""The examples of the documentation work: Python runs, commands and options exist."""

import re
import shlex
from collections.abc import Iterator

import pytest
import typer.core
import typer.main
from pytest_examples import CodeExample, EvalExample, find_examples

from agent.cli.commands import app
from agent.settings import Settings
from tests.conftest import TraceStore
from tests.docs.pages import PAGES, README, ROOT, code_blocks, code_spans, name_of, text_of

EXAMPLES = list(find_examples(*map(str, PAGES)))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.path.name} line {example.start_line}")
def test_python_examples_run(example: CodeExample, eval_example: EvalExample, traces: TraceStore) -> None:
    printed: list[str] = []

    def remember(*values: object, **_: object) -> None:
        printed.extend(map(str, values))

    eval_example.run(example, module_globals={"print": remember})

    assert example.path.name != README.name or "ErrImagePull" in " ".join(printed)


def test_the_readme_has_an_example_in_python() -> None:
    assert [example for example in EXAMPLES if example.path.name == README.name]


def our_commands() -> Iterator[tuple[str, list[str]]]:
    """Each call of the command line in a console block: the page and the words after the program's name."""
    for page in PAGES:
        for block in code_blocks(page, "console"):
            for line in block.splitlines():
                if "argocd-assistant " not in line:
                    continue
                for call in re.split(r"[|;&] ", line):
                    words = shlex.split(call, comments=True)
                    if words[:1] == ["argocd-assistant"]:
                        yield name_of(page), words[1:]


def test_every_command_and_option_exists() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    calls = list(our_commands())

    assert len(calls) > 20
    for page, (name, *words) in calls:
        command = group.commands.get(name)
        assert command, f"{page}: no command {name}"
        options = {option for parameter in command.params for option in parameter.opts}
        unknown = [word for word in words if re.match(r"--?[a-z]", word) and word not in options]
        assert unknown == [], f"{page}: options of {name}"


def test_every_target_of_make_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        (name_of(page), target)
        for page in PAGES
        for code in [*code_blocks(page, "console"), *code_spans(page)]
        for target in re.findall(r"^make ([a-z]+)", code, re.MULTILINE)
    }

    assert {target for _, target in named} >= {"demo", "test", "check"}
    assert [(page, target) for page, target in named if target not in targets] == []


def test_every_variable_that_is_named_is_a_setting() -> None:
    settings = {str(field.alias) for field in Settings.model_fields.values()}
    named = {
        (name_of(page), variable)
        for page in PAGES
        for variable in re.findall(r"\b(?:ASSISTANT|LLAMASTACK|LIGHTSPEED|ARGOCD)_[A-Z_]+\b", text_of(page))
    }

    assert [(page, variable) for page, variable in named if variable not in settings] == []
