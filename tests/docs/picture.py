"""The picture of an answer in a terminal that the README shows: `python -m tests.docs.picture` draws it anew.

The first target of the demo, answered without a model and drawn by the class that draws the answer of `ask`.
"""

import asyncio
import io
import os
from contextlib import aclosing

from rich.console import Console
from rich.panel import Panel
from rich.terminal_theme import TerminalTheme

from agent.cli.demo.scenarios import load_scenarios
from agent.cli.terminal_answer import TerminalAnswer
from agent.findings.model import Finding
from agent.providers.events import TextDelta
from agent.settings import load_settings
from agent.turn.assistant import Assistant
from agent.turn.events import Report
from agent.turn.parse import parse_question
from tests.docs.pages import ROOT

PICTURE = ROOT / "docs" / "images" / "answer.svg"
_WIDTH = 112
_THEME = TerminalTheme(
    (24, 27, 33),
    (220, 223, 228),
    [
        (72, 76, 86),
        (224, 108, 117),
        (152, 195, 121),
        (229, 192, 123),
        (97, 175, 239),
        (198, 120, 221),
        (86, 182, 194),
        (220, 223, 228),
    ],
)
# Rich's own frame, without the fonts that it loads from another host.
_FRAME = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: {char_height}px;
line-height: {line_height}px; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


async def answered() -> tuple[str, tuple[Finding, ...], str]:
    """The question of the demo's first target, its findings, and the answer."""
    scenario = load_scenarios()[0]
    assistant = Assistant(load_settings({"provider": "offline", "kubernetes": "off"}))
    findings: tuple[Finding, ...] = ()
    pieces: list[str] = []
    async with aclosing(assistant.turn(parse_question(scenario.body))) as events:
        async for event in events:
            if isinstance(event.value, Report):
                findings = event.value.findings
            elif isinstance(event.value, TextDelta):
                pieces.append(event.value.text)
    await assistant.aclose()
    return scenario.question, findings, "".join(pieces)


def shortened(text: str) -> str:
    """The first cause in full, of the further findings the titles."""
    first, mark, rest = text.partition("\n## Also found\n")
    titles = [line for line in rest.splitlines() if line.startswith("### ")]
    return "\n\n".join([first, mark, *titles, "..."]) if mark else text


def draw() -> str:
    """The picture as SVG."""
    question, _, text = asyncio.run(answered())
    console = Console(record=True, file=io.StringIO(), width=_WIDTH, force_terminal=False)
    console.print(Panel(question, title="question", title_align="left"))
    answer = TerminalAnswer(console)
    answer.add(shortened(text))
    answer.end()
    return console.export_svg(title="argocd-assistant demo", theme=_THEME, code_format=_FRAME, unique_id="answer")


if __name__ == "__main__":
    for name in list(os.environ):
        if name.startswith(("ASSISTANT_", "ARGOCD_", "LLAMASTACK_", "LIGHTSPEED_")):
            del os.environ[name]  # the settings of this machine would read a cluster or ask a model
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(draw(), encoding="utf-8")
