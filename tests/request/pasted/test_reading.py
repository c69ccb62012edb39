"""What is pasted in a question is read for what it holds."""

from datetime import UTC, datetime

import pytest

from agent.request.pasted.encoding import decoded
from agent.request.pasted.reading import read_pasted
from agent.turn.parse import parse_question

NOW = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
DESCRIBED = """\
Name:         ledger-0
Namespace:    books
Status:       Running
Containers:
  ledger:
    Image:          registry.example/ledger:2
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
    Ready:          False
    Restart Count:  7
Events:
  Type     Reason   Age                From     Message
  ----     ------   ----               ----     -------
  Warning  BackOff  2m (x20 over 10m)  kubelet  Back-off restarting failed container
"""
EVENTS = """\
LAST SEEN   TYPE      REASON             OBJECT         MESSAGE
5m          Warning   FailedScheduling   pod/ledger-1   0/3 nodes are available: 3 Insufficient cpu.
"""


def test_a_described_pod_is_a_manifest_with_its_states_and_events() -> None:
    pasted = read_pasted(f"Why?\n\n{DESCRIBED}", NOW)

    (pod,), (event,) = pasted.resources, pasted.events
    assert pod["metadata"] == {"name": "ledger-0", "namespace": "books"}
    status = pod["status"]["containerStatuses"][0]
    assert status["lastState"] == {"terminated": {"reason": "OOMKilled", "exitCode": 137}}
    assert status["restartCount"] == 7
    assert (event["count"], event["lastTimestamp"]) == (20, "2026-03-02T10:28:00+00:00")
    assert "kubectl get pod ledger-0 -n books -o yaml" in pasted.notes[0]


def test_a_pasted_block_is_in_the_question_only_as_a_mark() -> None:
    pasted = read_pasted(f"Why?\n\n{DESCRIBED}", NOW)

    assert pasted.text.startswith("Why?")
    assert "kubectl describe" in pasted.text
    assert "OOMKilled" not in pasted.text


def test_a_table_of_events_is_events() -> None:
    (event,) = read_pasted(EVENTS, NOW).events

    assert event["involvedObject"] == {"apiVersion": "v1", "kind": "Pod", "name": "ledger-1"}
    assert event["reason"] == "FailedScheduling"
    assert event["lastTimestamp"] == "2026-03-02T10:25:00+00:00"


def test_fenced_yaml_is_a_manifest_and_the_words_around_it_stay() -> None:
    text = "Why?\n```yaml\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\n```\nThanks."

    pasted = read_pasted(text, NOW)

    assert pasted.resources[0]["metadata"] == {"name": "web"}
    assert pasted.text.splitlines()[0] == "Why?"
    assert pasted.text.splitlines()[-1] == "Thanks."


def test_a_question_in_plain_words_stays_as_it_is() -> None:
    pasted = read_pasted("How do I roll back an Application?", NOW)

    assert pasted.text == "How do I roll back an Application?"
    assert not pasted.messages
    assert not pasted.parts()


def test_pasted_output_names_the_target() -> None:
    question = parse_question({"input": DESCRIBED})

    assert str(question.target) == "Pod books/ledger-0"


def test_events_may_be_supplied_as_the_text_of_a_table() -> None:
    question = parse_question({"input": "Why?", "custom_inputs": {"events": EVENTS}})

    assert question.supplied["events"][0]["reason"] == "FailedScheduling"


def test_what_was_supplied_is_kept_and_the_question_stays_as_it_was_written() -> None:
    question = parse_question({"input": f"Why?\n{EVENTS}", "custom_inputs": {"events": []}})

    assert question.supplied["events"] == []
    assert "Insufficient cpu" in question.text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_file_is_read_in_the_encoding_that_windows_writes(encoding: str) -> None:
    assert decoded("kind: Pod\n".encode(encoding)) == "kind: Pod\n"
