"""The rules of the house that no linter knows: names, folders, the depth of imports, plain words."""

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("agent", "serve")
FOLDERS = {
    "cli", "context", "findings", "mlflow", "objects", "prompt", "providers", "redaction", "request", "turn",
}  # fmt: skip

LONGEST_CHAIN = 18  # modules
DIALECT_WORDS = 150
USER_ID_FILES = 6
CONTEXT_PART_FILES = 6


def sources() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def public_types(path: Path) -> Iterator[str]:
    for node in ast.walk(parsed(path)):
        name = node.name if isinstance(node, ast.ClassDef) else node.name.id if isinstance(node, ast.TypeAlias) else "_"
        if not name.startswith("_"):
            yield name


def imports() -> dict[str, set[str]]:
    """The modules that each module imports, those for type checking and those inside functions too.

    A package counts as a module where names are imported from its `__init__`, not where it is only on the way.
    """
    modules = {module_name(path): path for path in sources()}
    graph: dict[str, set[str]] = {}
    for name, path in modules.items():
        found: set[str] = set()
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names} & modules.keys()
            elif isinstance(node, ast.ImportFrom) and node.module:
                below = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= below & modules.keys()
                if not below <= modules.keys() and node.module in modules:
                    found.add(node.module)
        graph[name] = found - {name}
    return graph


def cycle(graph: dict[str, set[str]]) -> list[str]:
    """Modules that import each other, each the next one; nothing where there are none."""
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name not in done:
            for imported in sorted(graph[name]):
                if found := visit(imported, [*path, name]):
                    return found
            done.add(name)
        return []

    return next((found for name in sorted(graph) if (found := visit(name, []))), list[str]())


def longest_chain(graph: dict[str, set[str]], start: str | None = None, end: str | None = None) -> tuple[str, ...]:
    """The longest chain of modules of which each imports the next, in a graph without cycles."""

    @cache
    def chain(name: str) -> tuple[str, ...]:
        further = [chain(imported) for imported in sorted(graph[name])] if name != end else []
        reaching = [each for each in further if each]
        if end is not None and name != end and not reaching:
            return ()
        return (name, *max(reaching, key=len, default=()))

    return max((chain(name) for name in ([start] if start else sorted(graph))), key=len)


def test_no_two_public_types_have_the_same_name() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in sources():
        for name in public_types(path):
            places[name].append(module_name(path))

    assert {name: modules for name, modules in places.items() if len(modules) > 1} == {}


def test_agent_has_four_modules_and_ten_folders() -> None:
    agent = ROOT / "agent"

    assert len(list(agent.glob("*.py"))) <= 4
    assert {path.name for path in agent.iterdir() if path.is_dir() and path.name != "__pycache__"} == FOLDERS


def test_no_modules_import_each_other() -> None:
    assert cycle(imports()) == []


def test_no_chain_of_imports_is_too_long() -> None:
    chain = longest_chain(imports())

    assert len(chain) <= LONGEST_CHAIN, " > ".join(chain)


def test_the_commands_are_near_the_assistant() -> None:
    chain = longest_chain(imports(), "agent.cli.__main__", "agent.turn.assistant")

    assert chain
    assert len(chain[1:-1]) <= 5, " > ".join(chain)


def test_the_words_are_plain() -> None:
    words = [
        word for path in sources() for word in re.findall(r"\b(?:told|tells|said|stands|beside)\b", path.read_text())
    ]

    assert len(words) <= DIALECT_WORDS


def test_every_public_function_and_class_has_a_docstring() -> None:
    bare = [
        f"{module_name(path)}.{node.name}"
        for path in sources()
        for node in parsed(path).body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert bare == []


def test_no_function_of_the_turn_is_too_complex() -> None:
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", "C901", "agent/turn"]
    done = subprocess.run(
        [*command, "--config", "lint.mccabe.max-complexity=10"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_few_files_handle_the_user_id() -> None:
    files = [module_name(path) for path in sources() if re.search(r"\buser_id\b", path.read_text())]

    assert len(files) <= USER_ID_FILES, files


def test_few_files_name_a_part_of_the_context() -> None:
    files = [module_name(path) for path in sources() if "sync_windows" in path.read_text()]

    assert 0 < len(files) <= CONTEXT_PART_FILES, files
