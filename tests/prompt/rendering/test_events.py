"""Events on the page."""

from agent.context.model import Event
from agent.objects.target import ResourceRef
from agent.prompt.rendering.events import render_events
from agent.prompt.tokens import count_tokens

API = ResourceRef(version="v1", kind="Pod", namespace="shop", name="api-1")


def event(reason: str, involved: ResourceRef | None = API) -> Event:
    return Event(type="Warning", reason=reason, message=f"{reason} of it", involved=involved)


def test_one_object_of_which_all_events_tell_is_named_once() -> None:
    made = render_events([event("BackOff"), event("Unhealthy")], 1_000)

    assert made.text.splitlines() == [
        "All about Pod shop/api-1:",
        "- time unknown Warning BackOff: BackOff of it",
        "- time unknown Warning Unhealthy: Unhealthy of it",
    ]
    assert made.tokens >= count_tokens(made.text)


def test_several_objects_are_named_with_their_events() -> None:
    other = API.model_copy(update={"name": "api-2"})
    events = [event("BackOff"), event("Unhealthy", other), event("Failed", None)]

    assert render_events(events, 1_000).text.splitlines() == [
        "- time unknown Warning BackOff Pod shop/api-1: BackOff of it",
        "- time unknown Warning Unhealthy Pod shop/api-2: Unhealthy of it",
        "- time unknown Warning Failed: Failed of it",
    ]


def test_what_does_not_fit_is_left_out_and_counted() -> None:
    made = render_events([event(f"Reason{number}") for number in range(50)], 100)

    assert made.tokens <= 100
    assert made.text.startswith("All about Pod shop/api-1:\n")
    assert made.left_out.endswith("older or less important events")
