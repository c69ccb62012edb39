"""Names that may have been meant where one is not there."""

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

from agent.findings.engine.evidence import one_line

_READ = 200
_TOLD = 5


def alike(name: str, names: Iterable[str]) -> str:
    """The names that look like `name`, else the first of those there are, as a sentence with a blank before it; ""
    where there are none."""
    there = sorted(one_line(each, 80) for each in islice(names, _READ))
    close = get_close_matches(one_line(name, 80), there, n=3) or there[:_TOLD]
    return f" There {'is' if len(close) == 1 else 'are'} {', '.join(close)}." if close else ""
