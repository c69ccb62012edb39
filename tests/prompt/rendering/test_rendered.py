"""A part stays within its budget, whatever it holds."""

import pytest

from agent.context.model import Event
from agent.prompt.rendering.events import render_events
from agent.prompt.rendering.manifests import render_manifests
from agent.prompt.tokens import count_tokens


@pytest.mark.parametrize("limit", [20, 50, 500])
@pytest.mark.parametrize("text", ["x", "A0", "中", "🔥", "한 🔥 x"])
def test_one_line_larger_than_all_the_room_is_cut_to_it(text: str, limit: int) -> None:
    event = render_events([Event(type="Warning", reason="BackOff", message=text * 5_000)], limit)
    manifest = render_manifests([{"kind": "Pod", "data": text * 5_000}], limit)

    for rendered in (event, manifest):
        assert count_tokens(rendered.text) <= limit
        assert "cut" in rendered.text or "more characters" in rendered.text
