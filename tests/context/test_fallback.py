"""The order in which sources are asked for a part, and the gaps of those that failed."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from agent.context.context import Part
from agent.context.fallback import each_once, first_available, from_all_sources, not_configured
from agent.context.model import Gap, PartResult, Reading
from agent.context.parts import APPLICATION, CHILDREN, LOGS, MANAGED
from agent.context.source import Source
from agent.errors import SourceError
from agent.objects.manifest import Manifest
from agent.objects.target import ApplicationRef, ResourceRef, Target

TIMEOUT = SourceError("Argo CD did not answer within 10 s", code="timeout")
FORBIDDEN = SourceError("Argo CD refused the manifest", code="forbidden")
OUTSIDE = SourceError("Pod api-1 is not part of the tree", code="not_found", refused=True)
WEB, POD, NODE = ({"kind": kind, "metadata": {"name": "one"}} for kind in ("Deployment", "Pod", "Node"))

FURTHER = frozenset({"related"})


class Asked:
    """Sources `argocd`, `kubernetes`, ... with an answer or an error each; `names` are those that were asked."""

    def __init__(self, *answers: Any) -> None:
        titles = ("Argo CD", "Kubernetes", "Loki")[: len(answers)]
        self.sources = [Source(name=title.lower().replace(" ", ""), title=title, readers={}) for title in titles]
        self.names: list[str] = []
        self.given: list[Sequence[Manifest] | None] = []
        self._answers = {source.name: answer for source, answer in zip(self.sources, answers, strict=True)}

    async def ask(self, source: Source, given: Sequence[Manifest] | None = None) -> Reading[Any]:
        self.names.append(source.name)
        self.given.append(given)
        answer = self._answers[source.name]
        if isinstance(answer, SourceError):
            raise answer
        return cast("Reading[Any]", answer) if isinstance(answer, Reading) else Reading(value=answer)


async def target_refused() -> bool:
    return True


def first(asked: Asked, **options: Any) -> PartResult[Any]:
    return asyncio.run(first_available(asked.sources, "manifest", asked.ask, **options))


def united(asked: Asked, **options: Any) -> PartResult[tuple[Manifest, ...]]:
    return asyncio.run(from_all_sources(asked.sources, "related", asked.ask, **options))


def gap_of(part: str = "related", reason: str = "timeout", message: str = "too slow", source: str = "argocd") -> Gap:
    return Gap(part=part, source=source, reason=reason, message=message)


def test_the_first_source_that_has_the_part_gives_it_and_no_other_is_asked() -> None:
    asked = Asked(WEB, POD)

    assert first(asked) == PartResult(value=WEB, source="argocd")
    assert asked.names == ["argocd"]


def test_a_source_that_fails_leaves_a_gap_before_those_of_the_source_that_answered() -> None:
    partial = gap_of("manifest", "left_out", "half of it", "kubernetes")

    result = first(Asked(TIMEOUT, Reading(value=WEB, gaps=(partial,))))

    assert (result.value, result.source, result.refused) == (WEB, "kubernetes", False)
    assert result.gaps == (gap_of("manifest", "timeout", TIMEOUT.public_message), partial)


def test_a_part_that_every_source_failed_to_give_has_the_gaps_of_all_in_their_order() -> None:
    result = first(Asked(TIMEOUT, SourceError("down", code="unreachable"), SourceError("gone", code="not_found")))

    assert (result.value, result.source) == (None, None)
    assert [(gap.source, gap.reason) for gap in result.gaps] == [
        ("argocd", "timeout"),
        ("kubernetes", "unreachable"),
        ("loki", "not_found"),
    ]


@pytest.mark.parametrize("ask", [first, united])
@pytest.mark.parametrize(
    ("error", "why"),
    [
        (FORBIDDEN, "not read from Kubernetes instead: grant the right in Argo CD's RBAC"),
        (OUTSIDE, "not read from Kubernetes instead: name the Application that it is part of"),
    ],
)
def test_a_refusal_is_final_and_its_gap_names_the_source_that_was_not_asked(
    ask: Any, error: SourceError, why: str
) -> None:
    asked = Asked(error, POD)

    result = ask(asked)

    assert asked.names == ["argocd"]
    assert (bool(result.value), result.source, result.refused) == (False, None, True)
    [gap] = result.gaps
    assert gap.message.startswith(error.public_message)
    assert why in gap.message


@pytest.mark.parametrize("ask", [first, united])
def test_no_other_source_is_asked_about_a_target_that_was_refused(ask: Any) -> None:
    asked = Asked(TIMEOUT, POD)

    result = ask(asked, refused=target_refused)

    assert asked.names == ["argocd"]
    assert result.refused
    assert "not read from Kubernetes instead, since Argo CD refused the target" in result.gaps[0].message


def test_the_refusal_of_the_last_source_is_not_explained_by_one_that_follows() -> None:
    [gap] = first(Asked(FORBIDDEN)).gaps

    assert gap.message == FORBIDDEN.public_message


def test_every_source_is_given_what_those_before_it_found_and_adds_to_it() -> None:
    asked = Asked((WEB,), TIMEOUT, (NODE,))

    result = united(asked)

    assert (result.value, result.source) == ((WEB, NODE), "argocd")
    assert asked.given == [None, [WEB], [WEB]]
    assert [(gap.source, gap.reason) for gap in result.gaps] == [("kubernetes", "timeout")]


def test_a_source_that_failed_or_found_nothing_is_not_the_origin() -> None:
    assert united(Asked(TIMEOUT, (NODE,))).source == "kubernetes"
    assert united(Asked((), (NODE,))).source == "kubernetes"
    assert united(Asked((), ())).source is None


def test_an_object_that_a_source_refused_is_read_from_no_other() -> None:
    asked = Asked(Reading(value=(WEB,), gaps=(gap_of(reason="forbidden"),)), (NODE,))

    result = united(asked)

    assert asked.names == ["argocd"]
    assert (result.value, result.source, result.refused) == ((WEB,), "argocd", True)


@pytest.mark.parametrize(
    "refusal",
    [Reading(value=(NODE,), gaps=(gap_of(reason="forbidden", source="kubernetes"),)), FORBIDDEN],
    ids=["of an object", "of all"],
)
def test_a_refusal_by_a_later_source_keeps_what_the_earlier_ones_found(refusal: Any) -> None:
    result = united(Asked((WEB,), refusal))

    assert result.value is not None
    assert result.value[0] == WEB
    assert (result.source, result.refused) == ("argocd", True)
    assert [(gap.source, gap.reason) for gap in result.gaps] == [("kubernetes", "forbidden")]


def test_a_gap_is_listed_once() -> None:
    twice = gap_of("logs", "not_found", "no log of api")

    assert each_once([twice, twice], FURTHER) == (twice,)


def test_of_one_part_a_general_failure_of_a_source_is_listed_once_and_another_failure_each_time() -> None:
    timeouts = [gap_of("logs", "timeout", f"log {number} took too long") for number in range(3)]
    absent = [gap_of("logs", "not_found", f"no log {number}") for number in range(3)]

    assert each_once([*timeouts, *absent], FURTHER) == (timeouts[0], *absent)


def test_gaps_of_further_parts_come_last_and_are_dropped_where_the_application_failed_alike() -> None:
    related = gap_of("related", "not_found", "no Service web")
    application = gap_of("application", "timeout", "the Application took too long")
    logs = gap_of("logs", "not_found", "no log of api")

    assert each_once([related, gap_of("related", "timeout"), application, logs], FURTHER) == (
        application,
        logs,
        related,
    )


def test_a_gap_of_a_further_part_that_repeats_another_is_dropped() -> None:
    manifest = gap_of("manifest", "unavailable", "broke off")

    assert each_once([gap_of("related", "unavailable", "broke off"), manifest], FURTHER) == (manifest,)


APPLICATION_ONLY = Target(application=ApplicationRef(name="shop", namespace="argocd"))
RESOURCE_ONLY = Target(resource=ResourceRef(kind="Pod", name="api-1", namespace="shop"))


@pytest.mark.parametrize(
    ("part", "target", "source", "message"),
    [
        (
            APPLICATION,
            APPLICATION_ONLY,
            "argocd",
            "Nothing is configured to read the manifest of Application argocd/shop from: set ARGOCD_SERVER and "
            "ARGOCD_AUTH_TOKEN, or let it read the Kubernetes API (KUBECONFIG, ASSISTANT_KUBERNETES), or supply "
            "`application_manifest` (on the command line `-f FILE`)",
        ),
        (
            MANAGED,
            APPLICATION_ONLY,
            "argocd",
            "Nothing is configured to read the difference to Git of Application argocd/shop from: set ARGOCD_SERVER "
            "and ARGOCD_AUTH_TOKEN, or supply `managed_resources`",
        ),
        (
            LOGS,
            RESOURCE_ONLY,
            "kubernetes",
            "Nothing is configured to read the logs of Pod shop/api-1 from: let it read the Kubernetes API "
            "(KUBECONFIG, ASSISTANT_KUBERNETES), or set ARGOCD_SERVER and ARGOCD_AUTH_TOKEN and name the Application, "
            "or supply `logs` (on the command line `--logs FILE`)",
        ),
    ],
)
def test_a_part_without_a_source_has_a_gap_that_names_the_ways_to_provide_it(
    part: Part[Any], target: Target, source: str, message: str
) -> None:
    assert not_configured(part, target) == Gap(part=part.name, source=source, reason="not_configured", message=message)


def test_the_gap_of_a_resource_of_an_application_names_the_resource() -> None:
    target = Target(application=APPLICATION_ONLY.application, resource=RESOURCE_ONLY.resource)

    assert "read the Pods of Pod shop/api-1 from" in not_configured(CHILDREN, target).message
    assert "of Application argocd/shop from" in not_configured(APPLICATION, target).message
