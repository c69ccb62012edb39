"""Names of code in the documentation are names of the code."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from pkgutil import resolve_name

import pytest

from tests.docs.pages import CONTRIBUTING, PAGES, ROOT, code_spans, name_of

PROGRAMS = {"git", "make", "python3"}
OF_CODE = [CONTRIBUTING, ROOT / "docs" / "decisions.md"]  # what they name is of this repository, but for a few
OF_OTHERS = {"set_tracking_uri"}  # MLflow


def exists(dotted: str) -> bool:
    """Whether a dotted name is a module, or something in one."""
    try:
        resolve_name(dotted)
    except (ImportError, AttributeError):
        return False
    return True


def dotted_names(page: Path) -> Iterator[str]:
    """The names of modules and of what is in them, `agent.turn.events.Outcome`."""
    for code in code_spans(page):
        yield from re.findall(r"\b(?:agent|serve|tests)(?:\.(?!py\b)\w+)+", code)


@cache
def names_of_the_code() -> frozenset[str]:
    """Every name that a module defines, takes as a parameter or gives as a keyword."""
    names: set[str] = set()
    for folder in ("agent", "serve", "tests"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                match node:
                    case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                        names.add(node.name)
                    case ast.Name(ctx=ast.Store()):
                        names.add(node.id)
                    case ast.arg() | ast.keyword():
                        names.add(node.arg or "")
                    case _:
                        pass
    return frozenset(names)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_dotted_name_can_be_imported(page: Path) -> None:
    assert [name for name in dotted_names(page) if not exists(name)] == []


@pytest.mark.parametrize("page", OF_CODE, ids=name_of)
def test_every_name_is_one_of_the_code(page: Path) -> None:
    spans = [code for code in code_spans(page) if re.fullmatch(r"\w+(?:\.\w+)*", code) and code not in PROGRAMS]
    names = {name for code in spans for name in code.split(".")}

    assert len(names) >= 3
    assert sorted(names - names_of_the_code() - OF_OTHERS) == []


def test_a_name_that_is_gone_would_be_noticed() -> None:
    assert exists("agent.turn.events.Outcome")
    assert not exists("agent.turn.events.Spans")
    assert not exists("agent.turn.no_such_module")
    assert "Spans" not in names_of_the_code()
