"""Times as Kubernetes and Argo CD write them."""

from datetime import UTC, datetime

import pytest

from agent.objects.times import moment


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-28T07:00:00Z",
        "2026-11-28T07:00:00.000000Z",
        "2026-11-28T07:00:00.000000000Z",
        "2026-11-28T09:00:00+02:00",
        "2026-11-28T07:00:00",
    ],
)
def test_a_time_is_read_in_utc(text: str) -> None:
    assert moment(text) == datetime(2026, 11, 28, 7, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert moment(text) is None
