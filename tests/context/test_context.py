"""The context as a value: made by names of parts, compared, replaced."""

from dataclasses import replace

import pytest

from agent.context.context import Context, Part
from agent.context.model import Event, Gap, Revision
from agent.context.parts import EVENTS, MANIFEST
from agent.objects.target import ApplicationRef, Target

TARGET = Target(application=ApplicationRef(name="shop"))
POD = {"kind": "Pod", "metadata": {"name": "api-1"}}
BACK_OFF = Event(type="Warning", reason="BackOff", message="Back-off restarting failed container")
GAP = Gap(part="logs", source="argocd", reason="timeout", message="Argo CD did not answer within 10 s")


def test_parts_are_given_by_declaration_or_by_name() -> None:
    by_name = Context(target=TARGET, manifest=POD, events=(BACK_OFF,))
    by_declaration = Context(target=TARGET, parts={MANIFEST: POD, EVENTS: (BACK_OFF,)})

    assert by_name == by_declaration
    assert (by_name.manifest, by_name.events) == (POD, (BACK_OFF,))
    assert {part.name: value for part, value in by_name.parts.items()} == {"manifest": POD, "events": (BACK_OFF,)}


def test_a_name_that_no_part_has_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(TypeError, match=r"'event' is no part of a context; there are: .*events"):
        Context(target=TARGET, event=(BACK_OFF,))


@pytest.mark.parametrize(
    "other",
    [
        Context(target=Target(), manifest=POD),
        Context(target=TARGET, manifest=POD | {"kind": "Job"}),
        Context(target=TARGET, manifest=POD, gaps=(GAP,)),
        Context(target=TARGET, manifest=POD, origins={"manifest": "argocd"}),
    ],
    ids=["target", "part", "gaps", "origins"],
)
def test_contexts_differ_by_target_parts_gaps_and_origins(other: Context) -> None:
    context = Context(target=TARGET, manifest=POD)

    assert context == Context(target=TARGET, manifest=dict(POD))
    assert context != other


def test_replacing_a_part_keeps_everything_else() -> None:
    context = Context(target=TARGET, manifest=POD, gaps=(GAP,), origins={"manifest": "kubernetes"})

    replaced = replace(context, events=(BACK_OFF,))

    assert replaced == Context(
        target=TARGET, manifest=POD, events=(BACK_OFF,), gaps=(GAP,), origins={"manifest": "kubernetes"}
    )
    assert context.events == ()


def test_replacing_a_part_by_nothing_removes_it() -> None:
    context = replace(Context(target=TARGET, manifest=POD), manifest=None)

    assert MANIFEST not in context.parts
    assert context.is_empty


def test_gaps_are_added_after_those_that_are_there() -> None:
    further = replace(GAP, part="events")
    context = Context(target=TARGET, manifest=POD, gaps=(GAP,), origins={"manifest": "argocd"}).with_gaps(further)

    assert context.gaps == (GAP, further)
    assert (context.manifest, context.origins) == (POD, {"manifest": "argocd"})


def test_empty_values_are_absent() -> None:
    context = Context(target=TARGET, manifest=None, children=(), revisions=(), parts={EVENTS: ()})

    assert (context.parts, context.is_empty) == ({}, True)
    assert (context.manifest, context.children, context.events, context.fleet) == (None, (), (), None)
    assert not Context(target=TARGET, revisions=(Revision(revision="abc"),)).is_empty


def test_the_manifests_are_that_of_the_resource_its_children_and_the_related_but_not_the_application() -> None:
    child, related = {"kind": "Pod"}, {"kind": "Service"}
    context = Context(
        target=TARGET, application={"kind": "Application"}, related=(related,), children=(child,), manifest=POD
    )

    assert context.manifests == (POD, child, related)


def test_a_name_is_declared_once() -> None:
    with pytest.raises(ValueError, match="a part named 'events' is declared already"):
        Part(name="events", title="other events", empty=())
