"""Answers held against a context: what was read holds, what was invented does not."""

from typing import Any

import pytest

from agent.context.context import Context
from agent.context.model import ContainerLog, Event, LogLine, TreeNode
from agent.objects.target import ResourceRef, Target
from agent.request.conversation import Message
from agent.turn.grounding import Grounding, ground

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "checkout-api-7d9f-x2", "namespace": "shop"},
    "spec": {
        "containers": [
            {"name": "api", "image": "registry.example.com/api:2.0", "resources": {"limits": {"memory": "256Mi"}}}
        ]
    },
    "status": {
        "containerStatuses": [
            {"name": "api", "restartCount": 14, "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}
        ]
    },
}
CONTEXT = Context(
    target=Target(resource=ResourceRef(kind="Pod", name="checkout-api-7d9f-x2", namespace="shop")),
    manifest=POD,
    events=(Event(type="Warning", reason="BackOff", message="Back-off restarting failed container api", count=12),),
    logs=(ContainerLog(container="api", pod="checkout-api-7d9f-x2", lines=(LogLine(text="FATAL cache  exhausted"),)),),
    tree=(TreeNode(resource=ResourceRef(group="apps", kind="Deployment", name="checkout-api", namespace="shop")),),
)


def grounded(answer: str, *given: str) -> Grounding:
    return ground(answer, given=given, context=CONTEXT)


@pytest.mark.parametrize(
    "answer",
    [
        "Container `api` was `OOMKilled` with exit code 137 at its limit of `256Mi`.",
        "The event says “back-off restarting failed container api”, 12 times.",
        "The log says `FATAL cache exhausted`.",
        "`memory: 256Mi` stands at `spec.containers[0].resources.limits.memory`.",
        "`Deployment/checkout-api` owns Pod checkout-api-7d9f-x2.",
        "Run `kubectl -n shop logs checkout-api-7d9f-x2 -c api --previous`.",
        "Run `kubectl -n shop set resources deployment/checkout-api --limits=memory=512Mi`.",
        "Run `kubectl describe pod <pod-name>` or `kubectl get events -n shop | grep -i oom`.",
        "Add `spec.containers[0].resources.requests` in Git.",
    ],
)
def test_what_was_read_holds(answer: str) -> None:
    result = grounded(answer)
    assert result.checked > 0
    assert result.unsupported == ()
    assert (result.share, result.warning) == (1.0, "")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("`Deployment/checkout-web` is broken.", "resource"),
        ("The Pod `checkout-api-7d9f` is broken.", "resource"),
        ("It ended with exit code 139.", "number"),
        ("The log says `disk quota exceeded`.", "quotation"),
        ("See `status.volumeStatuses[0].state`.", "path"),
        ("Run `kubectl fix pods`.", "command"),
        ("Run `argocd app heal shop`.", "command"),
        ("Run `kubectl -n payments get pods`.", "command"),
        ("Run `kubectl -n shop delete pod checkout-db-0`.", "command"),
    ],
)
def test_what_was_invented_does_not(answer: str, kind: str) -> None:
    assert [claim.kind for claim in grounded(answer).unsupported] == [kind]


def test_a_part_of_a_name_is_not_the_name() -> None:
    assert grounded("`Deployment/checkout` fails").invented == ("Deployment/checkout",)


def test_a_name_at_the_end_of_a_sentence_is_a_name() -> None:
    assert grounded("`Secret/db-credentials` is missing.", "It waits for Secret db-credentials.").invented == ()


def test_what_the_model_was_given_beside_the_context_counts_as_read() -> None:
    answer = "`Deployment/checkout-web` has `3` of 40 pods."
    assert grounded(answer, "Why is Deployment checkout-web short of pods? It has 3 of 40.").unsupported == ()


def test_an_answer_without_claims_has_no_share() -> None:
    assert grounded("It is well.") == Grounding()
    assert Grounding().share is None


def test_invented_resources_are_named_to_the_reader() -> None:
    result = grounded("`Deployment/one`, `Deployment/two` and `Pod/three` fail; `api` does not.")
    assert result.invented == ("Deployment/one", "Deployment/two", "Pod/three")
    assert "`Deployment/one`, `Deployment/two`, `Pod/three`" in result.warning
    assert result.share == 0.25


def test_the_result_tells_what_did_not_hold() -> None:
    assert grounded("`api` ended with exit code 139.").as_json() == {
        "status": "checked",
        "addresses_findings": None,
        "checked": 2,
        "supported": 1,
        "share": 0.5,
        "unsupported": [{"kind": "number", "text": "139"}],
        "earlier": [],
        "unchecked": [],
        "invented_resources": [],
    }


def recalled(answer: str, *earlier: Message, context: Context = CONTEXT) -> Grounding:
    return ground(answer, given=(), context=context, earlier=earlier)


def test_what_the_user_said_earlier_holds() -> None:
    result = recalled("`Deployment/payments` is another one.", Message("user", "And Deployment/payments?"))
    assert (result.unsupported, result.earlier, result.warning) == ((), (), "")


def test_what_an_earlier_answer_said_holds_and_is_told_apart() -> None:
    answer = "Delete `Pod/checkout-api-old-1`, it ended with exit code 139."
    said = Message("assistant", "Pod/checkout-api-old-1 ended with exit code 139.")
    result = recalled(answer, said)
    assert (result.unsupported, [claim.text for claim in result.earlier]) == ((), ["Pod/checkout-api-old-1", "139"])
    assert (result.share, result.invented) == (1.0, ())
    assert "From earlier in this conversation, not in what was read now:** `Pod/checkout-api-old-1`." in result.warning


def test_a_command_may_take_one_name_from_now_and_one_from_earlier() -> None:
    said = Message("assistant", "The namespace is payments.")
    result = recalled("Run `kubectl -n payments delete pod checkout-api-7d9f-x2`.", said)
    assert (result.unsupported, len(result.earlier)) == ((), 1)


def test_where_nothing_was_read_a_name_of_an_earlier_answer_needs_no_warning() -> None:
    said = Message("assistant", "Pod/old-1 crashes.")
    assert recalled("`Pod/old-1` does.", said, context=Context(target=Target())).warning == ""


def test_what_was_invented_is_so_whatever_was_said_earlier() -> None:
    result = recalled("`Deployment/ghost` fails.", Message("assistant", "Pod/old-1 crashes."))
    assert (result.invented, result.earlier) == (("Deployment/ghost",), ())


def test_where_earlier_turns_cannot_be_looked_at_nothing_is_called_invented() -> None:
    result = ground("`api` runs, `Deployment/ghost` fails.", given=(), context=CONTEXT, earlier=None)
    assert (result.unsupported, result.invented) == ((), ())
    assert [claim.text for claim in result.unchecked] == ["Deployment/ghost"]
    assert (result.checked, result.supported, result.share) == (2, 1, 1.0)
    assert "could not be looked at" in result.warning
