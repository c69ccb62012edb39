"""An answer in Markdown that grows on a terminal. Owns its rendering."""

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.markdown import Markdown
from rich.segment import Segment
from rich.theme import Theme

from agent.turn.notes import note_first

THEME = Theme({"markdown.code": "bold", "markdown.code_block": "none"})
"""Code without the black ground that rich gives it, so that it can be read on a light terminal as well."""
_CODE_THEME = "ansi_light"  # the terminal's own colours, no ground


class TerminalAnswer:
    """Markdown that grows: its last lines while it does, all of it once at the end.

    What has left the screen cannot be erased any more, so that nothing taller than the screen is ever drawn twice.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._text = ""
        self._live: Live | None = None

    def add(self, text: str) -> None:
        self._text += text
        if self._live is None:
            self._live = Live(self, console=self._console, refresh_per_second=8, transient=True)
            self._live.start()

    def lead_with(self, note: str) -> None:
        """Move the note at the end of the text to its beginning, for the rendering at the end."""
        self._text = note_first(self._text, note)

    def end(self) -> None:
        if self._live:
            self._live.stop()
            self._live = None
            with self._console.use_theme(THEME):
                self._console.print(self._markdown())

    def _markdown(self) -> Markdown:
        # Links show where they lead: a model may have been talked into them.
        return Markdown(self._text, hyperlinks=False, code_theme=_CODE_THEME)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        with console.use_theme(THEME):
            lines = console.render_lines(self._markdown(), options, pad=False)
        for line in lines[-(options.size.height - 1) :]:
            yield from line
            yield Segment.line()
