"""Links and paths of the documentation lead somewhere."""

from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.docs.pages import PAGES, README, ROOT, anchors_of, code_spans, links_of, name_of

ids = name_of


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_every_relative_link_and_anchor_exists(page: Path) -> None:
    dead: list[str] = []
    for link in links_of(page):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        inside = target.is_relative_to(ROOT)
        if not (inside and target.exists()) or (anchor and anchor not in anchors_of(target)):
            dead.append(link)

    assert dead == []


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_every_path_in_code_exists(page: Path) -> None:
    starts = ("agent/", "serve/", "tests/", "docs/", "notebooks/", ".github/")
    paths = [code for code in code_spans(page) if code.startswith(starts) and " " not in code]

    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_readme_leads_to_every_page_of_the_documentation() -> None:
    linked = {(ROOT / link.partition("#")[0]).resolve() for link in links_of(README) if "://" not in link}

    assert set((ROOT / "docs").glob("*.md")) - linked == set()


def test_the_readme_is_short() -> None:
    assert len(README.read_text().split()) <= 2_000
