"""The recipes for contributors lead to files that exist, and to few of them."""

import re
from dataclasses import dataclass

import pytest

from tests.docs.pages import CONTRIBUTING, ROOT, section

_LINE = re.compile(r"^\* (Example|Change|Test): (.+(?:\n  .+)*)", re.MULTILINE)
_PATH = re.compile(r"`((?:agent|serve|tests)/[^`\s]*)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A recipe: its title, and the paths that each of its lines names."""

    title: str
    paths: dict[str, list[str]]


def recipes() -> list[Recipe]:
    texts = re.split(r"^### ", section(CONTRIBUTING, "Recipes"), flags=re.MULTILINE)[1:]
    return [
        Recipe(title=text.splitlines()[0], paths={line: _PATH.findall(named) for line, named in _LINE.findall(text)})
        for text in texts
    ]


def test_the_recipes_are_twelve_and_numbered() -> None:
    assert [recipe.title.partition(".")[0] for recipe in recipes()] == [str(number) for number in range(1, 13)]


@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: recipe.title)
def test_a_recipe_changes_at_most_three_files_that_exist(recipe: Recipe) -> None:
    changed = recipe.paths["Change"]

    assert 1 <= len(changed) <= 3
    assert [path for path in changed if not (ROOT / path).is_file()] == []
    assert [path for path in changed if path.startswith("tests/")] == []


@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: recipe.title)
def test_a_recipe_names_its_test_and_its_examples(recipe: Recipe) -> None:
    tests, examples = recipe.paths["Test"], recipe.paths.get("Example", [])

    assert tests
    assert [path for path in tests if not path.startswith("tests/")] == []
    assert [path for path in [*tests, *examples] if not (ROOT / path).exists()] == []
