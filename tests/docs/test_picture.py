"""The pictures of the README show what the assistant answers today."""

import asyncio
import xml.etree.ElementTree as ElementTree

from PIL import Image

from tests.docs.picture import PICTURE, answered, draw

TRACE = PICTURE.with_name("trace.png")
TEXT = "{http://www.w3.org/2000/svg}text"


def words_of(svg: str) -> str:
    """The text of a picture, line breaks and runs of blanks as one blank."""
    lines = ("".join(element.itertext()) for element in ElementTree.fromstring(svg).iter(TEXT))
    return " ".join(" ".join(lines).split())


def test_the_picture_can_be_drawn_anew() -> None:
    assert "What to do next" in words_of(draw())


def test_it_names_the_question_and_the_findings_of_today() -> None:
    question, findings, _ = asyncio.run(answered())
    shown = words_of(PICTURE.read_text(encoding="utf-8"))

    assert question in shown
    assert findings
    missing = [finding.title for finding in findings if finding.title.replace("`", "") not in shown]
    assert missing == [], "python -m tests.docs.picture draws the picture anew"


def test_it_loads_nothing_from_another_host() -> None:
    assert "http" not in PICTURE.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")


def test_the_trace_is_of_the_same_question_and_its_first_finding_of_today() -> None:
    question, findings, _ = asyncio.run(answered())
    with Image.open(TRACE) as picture:
        shown = str(picture.info["shown"])

    assert question in shown
    assert findings[0].title.replace("`", "") in shown, "make pictures draws it anew"
    assert TRACE.stat().st_size < 200_000
