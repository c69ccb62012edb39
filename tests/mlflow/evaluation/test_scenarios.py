"""A folder becomes a request; what is wrong with a folder is said with its place."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.errors import RequestError
from agent.mlflow.evaluation.scenarios import content_hash, load_scenario, load_scenarios
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
    (EXPECTED | {"evidence": []}, "must name the evidence of its cause, or the source of the case"),
    (EXPECTED | {"cuase": 1}, "cuase"),
    (EXPECTED | {"evidence": [{"source": "rumour", "text": "x"}]}, "source"),
    (EXPECTED | {"target": {"resource": {"kind": "Pod"}}}, "name"),
]


@pytest.mark.parametrize(("expected", "complaint"), MEANINGLESS)
def test_an_expectation_that_means_nothing_is_refused(tmp_path: Path, expected: Any, complaint: str) -> None:
    folder = write_scenario(tmp_path, expected=expected)

    with pytest.raises(RequestError, match=complaint):
        load_scenario(folder)


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


def write_case(folder: Path, name: str, file: str, content: str, **expected: Any) -> Path:
    path = folder / name
    path.mkdir(parents=True)
    (path / file).write_text(content)
    about = {key: value for key, value in EXPECTED.items() if key != "question"} | expected
    (path / "expected.yaml").write_text(yaml.safe_dump(about))
    return path


def test_a_case_may_be_the_whole_request(tmp_path: Path) -> None:
    body = {"input": [{"role": "user", "content": "Why?"}], "custom_inputs": {"manifest": POD}}

    scenario = load_scenario(write_case(tmp_path, "secret", "request.yaml", yaml.safe_dump(body)))

    assert scenario.body == body
    assert scenario.question == "Why?"


def test_a_case_may_be_what_somebody_pastes(tmp_path: Path) -> None:
    scenario = load_scenario(write_case(tmp_path, "secret", "pasted.txt", 'Error: secret "db" not found'))

    assert scenario.parsed.text == 'Error: secret "db" not found'


def test_a_case_is_asked_at_its_time(tmp_path: Path) -> None:
    table = "LAST SEEN   TYPE      REASON        OBJECT      MESSAGE\n5m   Warning   FailedMount   pod/web-0   no\n"
    folder = write_case(tmp_path, "secret", "pasted.txt", table, as_of="2026-03-02T10:30:00Z")

    (event,) = load_scenario(folder).parsed.pasted["events"]

    assert event["lastTimestamp"].startswith("2026-03-02T10:25:00")


def test_a_question_beside_a_whole_request_is_refused(tmp_path: Path) -> None:
    folder = write_case(tmp_path, "secret", "pasted.txt", "Why?", question="Why?")

    with pytest.raises(RequestError, match=r"question: has no place beside pasted\.txt"):
        load_scenario(folder)


def test_a_folder_may_hold_sets(tmp_path: Path) -> None:
    write_scenario(tmp_path / "theirs", "pods-a")
    write_scenario(tmp_path / "own", "pods-b")

    assert [(each.set, each.name) for each in load_scenarios(tmp_path)] == [("own", "pods-b"), ("theirs", "pods-a")]
    assert [each.name for each in load_scenarios(tmp_path, of_set="theirs")] == ["pods-a"]


def test_a_name_in_two_sets_is_refused(tmp_path: Path) -> None:
    write_scenario(tmp_path / "theirs", "pods-a")
    write_scenario(tmp_path / "own", "pods-a")

    with pytest.raises(RequestError, match="pods-a is in the sets own and theirs"):
        load_scenarios(tmp_path)
