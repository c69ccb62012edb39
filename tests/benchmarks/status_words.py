"""Leave-one-out of the general reading of `status`: the words and branches that change no verdict of any case.

Each word of the table in `agent.findings.custom.words` is taken out, and the condition of each branch in the package is
made false, one at a time, in a copy of the package that is not written anywhere. The verdicts of the development cases
(`tests/findings/custom/cases`: severity, and whether the expected message is in the finding) show what a word is for;
what a finding says counts too for a branch.
"""

import ast
import importlib
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

import agent.findings.custom
from agent.findings import custom_resources
from agent.findings.engine.inventory import Inventory
from agent.findings.model import Finding
from agent.objects.manifest import Manifest
from tests.findings.cluster import context
from tests.findings.custom.argocd_judge import load_health
from tests.findings.custom.test_cases import load, text_of

PACKAGE = agent.findings.custom.__name__
READER = custom_resources.__name__
FOLDER = Path(agent.findings.custom.__file__).parent
# The most that may change no verdict, of the words and of the branches.
AIM = 0.15
TABLES = ("TONES", "KEYS")
HEALTH_CASES = ("argocd_development.yaml", "argocd_held_out.yaml")


class Verdict(NamedTuple):
    """What is found for a case: the severity, "" for none or only information; whether the expected message is in it;
    and its titles and explanations."""

    severity: str
    has_message: bool
    texts: tuple[str, ...]


type Verdicts = tuple[Verdict, ...]


class Case(NamedTuple):
    """A case: its name, its objects, and the text that its finding must have."""

    name: str
    inventory: Inventory
    says: str


class Part(NamedTuple):
    """A word or a branch: its module, its name for a reader, and what takes it out of the module's syntax tree."""

    module: str
    name: str
    without: Callable[[ast.Module], None]
    is_word: bool = False


def run(console: Console) -> None:
    """Prints what changes no verdict; of the other words, the first case that needs each."""
    cases = development_cases()
    before = verdicts(cases)
    for title, parts in (("words", list(words())), ("branches", list(branches()))):
        needed = {part: next(changed(part, cases, before), None) for part in parts}
        idle = [part.name for part, case in needed.items() if case is None]
        table = Table(title, "changes no verdict", "share", title=f"leave one out: {title} of the reading of status")
        table.add_row(str(len(parts)), str(len(idle)), f"{len(idle) / len(parts):.1%}")
        table.caption = f"over {len(cases):,} cases; aim: at most {AIM:.0%}"
        console.print(table)
        console.print("without effect: " + (", ".join(idle) or "none"), highlight=False)
        if title == "words":
            lines = (f"{part.name}: {case}" for part, case in needed.items() if case)
            console.print("needed by: " + "; ".join(lines), highlight=False)


def development_cases() -> list[Case]:
    """The cases of the tests of the package, Argo CD's own among them."""
    parameters = [parameter for file in ("broken.yaml", "other.yaml") for parameter in load(file)]
    own = [
        Case(str(each.id), Inventory(context(each.values[0])), " ".join(str(each.values[1].get("says", "")).split()))
        for each in parameters
    ]
    return own + [case_of(each.name, each.manifest) for each in load_health(*HEALTH_CASES)]


def verdicts(cases: Sequence[Case]) -> Verdicts:
    """What is found for each case."""
    read: Callable[[Inventory], Iterator[Finding]] = importlib.import_module(READER).bad_status
    found: list[Verdict] = []
    for case in cases:
        findings = tuple(read(case.inventory))
        severity = findings[0].severity if findings and findings[0].severity != "info" else ""
        texts = tuple(f"{each.title} {each.explanation}" for each in findings)
        found.append(Verdict(severity, case.says in text_of(findings), texts))
    return tuple(found)


def changed(part: Part, cases: Sequence[Case], before: Verdicts) -> Iterator[str]:
    """The names of the cases whose verdict changes without the part. A reading that fails changes every case."""
    with package_without(part):
        try:
            after = verdicts(cases)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError):
            yield "every case: the reading fails"
            return
    # A word must change a verdict; a branch may also change only what a finding says.
    end = 2 if part.is_word else 3
    pairs = zip(cases, before, after, strict=True)
    yield from (case.name for case, old, new in pairs if old[:end] != new[:end])


def words() -> Iterator[Part]:
    """Every word of the table."""
    tree = ast.parse((FOLDER / "words.py").read_text())
    for table, role, text in _rows(tree):
        for word in text.split():
            yield Part("words", f"{word} ({role})", _word_dropper(table, role, word), is_word=True)


def _rows(tree: ast.Module) -> Iterator[tuple[str, str, str]]:
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id in TABLES:
            assert isinstance(node.value, ast.Dict)
            for key, value in zip(node.value.keys, node.value.values, strict=True):
                assert isinstance(key, ast.Constant)
                assert isinstance(value, ast.Constant)
                yield node.target.id, str(key.value), str(value.value)


def _word_dropper(table: str, role: str, word: str) -> Callable[[ast.Module], None]:
    def drop(tree: ast.Module) -> None:
        for node in tree.body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == table:
                assert isinstance(node.value, ast.Dict)
                for key, value in zip(node.value.keys, node.value.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == role and isinstance(value, ast.Constant):
                        value.value = " ".join(each for each in str(value.value).split() if each != word)

    return drop


def branches() -> Iterator[Part]:
    """Every `if`, as a statement or inside an expression."""
    for file in sorted(FOLDER.glob("*.py")):
        tree = ast.parse(file.read_text())
        for position, node in enumerate(_ifs(tree)):
            name = f"{file.name}:{node.lineno}: if {ast.unparse(node.test)[:60]}"
            yield Part(file.stem, name, _branch_closer(position))


def _ifs(tree: ast.Module) -> list[ast.If | ast.IfExp]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.If | ast.IfExp)]


def _branch_closer(position: int) -> Callable[[ast.Module], None]:
    def close(tree: ast.Module) -> None:
        _ifs(tree)[position].test = ast.Constant(value=False)

    return close


class _Without(MetaPathFinder, Loader):
    """Imports the package with one part taken out of its source."""

    def __init__(self, part: Part) -> None:
        self._name = PACKAGE if part.module == "__init__" else f"{PACKAGE}.{part.module}"
        self._part = part

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        is_package = fullname == PACKAGE
        spec = ModuleSpec(fullname, self, is_package=is_package)
        if is_package:
            spec.submodule_search_locations = [str(FOLDER)]
        return spec

    def exec_module(self, module: ModuleType) -> None:
        file = FOLDER / f"{self._part.module}.py"
        tree = ast.parse(file.read_text())
        self._part.without(tree)
        code: Any = compile(ast.fix_missing_locations(tree), str(file), "exec")
        exec(code, vars(module))


@contextmanager
def package_without(part: Part) -> Generator[None]:
    """Makes the import of the package give it without the part, until the end of the block."""
    kept = {
        name: module for name, module in sys.modules.items() if name.partition(PACKAGE)[1] and name.startswith(PACKAGE)
    }
    finder = _Without(part)
    for name in kept:
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.startswith(PACKAGE)]:
            del sys.modules[name]
        sys.modules.update(kept)
        parent: Any = sys.modules[PACKAGE.rpartition(".")[0]]
        parent.custom, parent.custom_resources = kept[PACKAGE], kept[READER]


def case_of(name: str, manifest: Manifest, says: str = "") -> Case:
    """A case of a manifest."""
    return Case(name, Inventory(context(manifest)), says)
