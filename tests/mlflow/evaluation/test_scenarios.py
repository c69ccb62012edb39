"""A folder becomes a request; what is wrong with a folder is said with its place."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.errors import RequestError
from agent.mlflow.evaluation.answering import WatchedAssistant, answered
from agent.mlflow.evaluation.scenarios import content_hash, load_scenario, load_scenarios
from agent.settings import load_settings
from tests.mlflow.evaluation.answers import EXPECTED, POD, write_scenario


def test_every_file_becomes_the_part_of_the_request_that_it_is(tmp_path: Path) -> None:
    folder = write_scenario(
        tmp_path,
        application={"metadata": {"name": "shop", "namespace": "argocd"}},
        children=[POD],
        related=[POD],
        tree={"nodes": []},
        managed={"items": [{"kind": "Pod", "name": "web-0", "liveState": "null"}]},
        revisions=[{"revision": "abc"}],
        sync_windows={"canSync": True},
        events={"kind": "EventList", "items": [{"reason": "Failed", "eventTime": None}]},
    )
    (folder / "logs" / "web.log").write_text("2026-11-24T09:00:00Z one\n2026-11-24T09:00:01Z two\n")

    question = load_scenario(folder).parsed

    supplied = question.supplied
    assert question.text == "Why does it not start?"
    assert question.target.resource
    assert question.target.resource.name == "web-0"
    assert question.target.application
    assert question.target.application.name == "shop"
    assert (supplied["manifest"], supplied["children"], supplied["related"]) == (POD, [POD], [POD])
    assert supplied["events"] == [{"reason": "Failed", "eventTime": None}]
    assert {"managed_resources", "revisions", "sync_windows", "resource_tree"} <= supplied.keys()
    assert "two" in supplied["logs"]["web"]


def test_the_previous_run_is_told_by_the_name_of_its_log(tmp_path: Path) -> None:
    folder = write_scenario(tmp_path)
    (folder / "logs" / "web.previous.log").write_text("panic")

    question = load_scenario(folder).parsed

    assert question.supplied["logs"] == {"web": "panic"}
    assert question.log_request.previous


MEANINGLESS: list[tuple[dict[str, Any], str]] = [
    (EXPECTED | {"healthy": True}, "must have either healthy: true or a cause"),
    (EXPECTED | {"cause": None}, "must have either healthy: true or a cause"),
    (EXPECTED | {"evidence": []}, "must name the evidence of its cause, or say why it is the cause"),
    (EXPECTED | {"cause": None, "healthy": True, "fix": ["x"]}, "must have a cause where it has a fix"),
    (EXPECTED | {"as_of": "2026-12-01T11:30:00"}, "as_of"),
    (EXPECTED | {"question": ""}, "must have one question"),
    (EXPECTED | {"cuase": 1}, "cuase"),
    (EXPECTED | {"evidence": [{"source": "rumour", "text": "x"}]}, "source"),
    (EXPECTED | {"target": {"resource": {"kind": "Pod"}}}, "name"),
]


@pytest.mark.parametrize(("expected", "complaint"), MEANINGLESS)
def test_an_expectation_that_means_nothing_is_refused(tmp_path: Path, expected: Any, complaint: str) -> None:
    folder = write_scenario(tmp_path, expected=expected)

    with pytest.raises(RequestError, match=complaint):
        load_scenario(folder)


OF_OTHERS: dict[str, Any] = {
    "family": "pods",
    "source": "https://example.com/report",
    "as_of": "2026-12-01T11:30:00Z",
    "why": "The status says so.",
    "cause": {"says": ["Secret"]},
    "fix": ["create"],
}
QUESTION = {"role": "user", "content": "Why does it not start?"}


def case(folder: Path, expected: dict[str, Any] = OF_OTHERS, **texts: str) -> Path:
    """A folder with an expectation and files of these texts, by their names with `_` for the dot."""
    path = folder / "a-case"
    path.mkdir()
    (path / "expected.yaml").write_text(yaml.safe_dump(expected))
    for name, text in texts.items():
        (path / name.replace("_", ".")).write_text(text)
    return path


def test_a_whole_request_is_asked_as_of_the_time_it_was_read(tmp_path: Path) -> None:
    request: dict[str, Any] = {"input": [QUESTION], "custom_inputs": {"manifest": POD, "events": []}}

    scenario = load_scenario(case(tmp_path, request_yaml=yaml.safe_dump(request)))

    assert scenario.question == "Why does it not start?"
    assert scenario.parsed.supplied == {"manifest": POD, "events": []}
    assert scenario.parsed.read_at == datetime(2026, 12, 1, 11, 30, tzinfo=UTC)


def test_a_request_may_be_a_question_alone(tmp_path: Path) -> None:
    scenario = load_scenario(case(tmp_path, request_yaml=yaml.safe_dump({"input": [QUESTION]})))

    assert scenario.parsed.text == scenario.question
    assert scenario.parsed.supplied == {}


def test_what_is_pasted_is_the_question_and_its_ages_count_from_the_time_it_was_read(tmp_path: Path) -> None:
    table = "LAST SEEN   TYPE      REASON    OBJECT      MESSAGE\n5m          Warning   BackOff   pod/web-0   Back-off"

    scenario = load_scenario(case(tmp_path, pasted_txt=table))

    assert scenario.question == table
    assert [event["lastTimestamp"] for event in scenario.parsed.pasted["events"]] == ["2026-12-01T11:25:00+00:00"]


def test_how_long_something_lasts_is_counted_to_the_time_it_was_read(tmp_path: Path) -> None:
    ingress: dict[str, Any] = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "web", "namespace": "shop", "creationTimestamp": "2026-12-01T09:20:00Z"},
        "spec": {"ingressClassName": "edge"},
        "status": {"loadBalancer": {}},
    }
    request: dict[str, Any] = {"input": [QUESTION], "custom_inputs": {"manifest": ingress}}
    scenario = load_scenario(case(tmp_path, request_yaml=yaml.safe_dump(request)))

    answer = asyncio.run(answered(WatchedAssistant(load_settings({"provider": "offline"})), scenario.parsed))

    assert "no address for 2 hours" in answer.findings[0].title


CONFUSED: list[tuple[dict[str, Any], dict[str, str], str]] = [
    (OF_OTHERS, {"request_yaml": "input: Why?", "pasted_txt": "Error"}, r"request\.yaml, which .* and pasted\.txt"),
    (OF_OTHERS, {"request_yaml": "input: Why?", "manifest_yaml": "{}"}, r"and manifest\.yaml besides"),
    (OF_OTHERS | {"question": "Why?"}, {"request_yaml": "input: Why?"}, "and question besides"),
    (OF_OTHERS | {"target": {"refresh": True}}, {"request_yaml": "input: Why?"}, "and target besides"),
    (OF_OTHERS | {"question": "Why?"}, {"pasted_txt": "Error"}, "must have one question"),
    (OF_OTHERS, {}, "must have one question"),
    (OF_OTHERS, {"request_yaml": "[]"}, r"request\.yaml: must be an object"),
    (OF_OTHERS, {"request_yaml": "{input: Why?, custom_inputs: text}"}, r"request\.yaml: must be an object"),
    (OF_OTHERS, {"request_yaml": "custom_inputs: {}"}, "input: must be a list of messages"),
]


@pytest.mark.parametrize(("expected", "texts", "complaint"), CONFUSED)
def test_a_folder_with_two_questions_or_none_is_refused(
    tmp_path: Path, expected: dict[str, Any], texts: dict[str, str], complaint: str
) -> None:
    with pytest.raises(RequestError, match=complaint):
        load_scenario(case(tmp_path, expected, **texts))


def test_files_that_nothing_reads_are_refused(tmp_path: Path) -> None:
    folder = write_scenario(tmp_path, pods=[POD])

    with pytest.raises(RequestError, match=r"pods\.yaml: is no part of a scenario"):
        load_scenario(folder)


def test_logs_of_both_runs_are_refused(tmp_path: Path) -> None:
    folder = write_scenario(tmp_path)
    (folder / "logs" / "web.log").write_text("now")
    (folder / "logs" / "web.previous.log").write_text("before")

    with pytest.raises(RequestError, match="not of both"):
        load_scenario(folder)


def test_broken_yaml_names_its_file(tmp_path: Path) -> None:
    folder = write_scenario(tmp_path)
    (folder / "manifest.yaml").write_text("kind: [")

    with pytest.raises(RequestError, match=r"manifest\.yaml: cannot be read as YAML"):
        load_scenario(folder)


def test_a_pattern_chooses_by_name(tmp_path: Path) -> None:
    for name in ("pods-a", "pods-b", "jobs-a"):
        write_scenario(tmp_path, name)

    assert [s.name for s in load_scenarios(tmp_path, "pods")] == ["pods-a", "pods-b"]
    assert [s.name for s in load_scenarios(tmp_path, "*-a")] == ["jobs-a", "pods-a"]
    with pytest.raises(RequestError, match="none of its 3 scenarios matches 'drift'"):
        load_scenarios(tmp_path, "drift")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"no folder in it has expected\.yaml"):
        load_scenarios(tmp_path)


def test_the_hash_changes_with_any_file_and_with_nothing_else(tmp_path: Path) -> None:
    folder = write_scenario(tmp_path)
    hashes: list[str] = []
    for text in ("one", "two", "two"):
        (folder / "logs" / "web.log").write_text(text)
        hashes.append(content_hash(tmp_path, load_scenarios(tmp_path)))

    assert hashes[0] != hashes[1] == hashes[2]
