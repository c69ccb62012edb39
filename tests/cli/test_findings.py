"""`findings`: the manifests of files judged without a network."""

import io
import json
import os
import pty
import re
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from agent.cli import findings_table
from agent.cli.manifest_stream import batches
from agent.findings import analyze
from tests.cli.conftest import Run, Write, read_all
from tests.cli.test_commands import HEAVY, loaded_by
from tests.context.manifests import DEPLOYMENT, POD, REPLICA_SET, application, event
from tests.findings.cluster import condition, context, resource

BROKEN = resource(
    "example.com/v1", "Widget", "w", status={"conditions": [condition("Ready", "False", "E", "it failed")]}
)
WELL = resource("example.com/v1", "Widget", "x", status={"conditions": [condition("Ready", "True")]})
LATE = resource("example.com/v1", "Widget", "y", status={"conditions": [condition("Ready", "False")]})


def lines(*entries: Any) -> str:
    return "".join(json.dumps(entry) + "\n" for entry in entries)


def told(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def test_json_lines_are_answered_one_by_one_in_order(run: Run, write: Write) -> None:
    file = write(
        "live.jsonl", lines({"id": "a", "manifest": BROKEN}, {"manifest": WELL}, {"id": 3, "manifest": BROKEN})
    )

    result = run("findings", "--json", file)

    first, second, third = told(result.stdout)
    assert (first["id"], second["id"], third["id"]) == ("a", "Widget/shop/x", "3")
    assert second["findings"] == []
    assert first["findings"] == third["findings"]
    (finding,) = first["findings"]
    assert {"title", "severity", "explanation", "evidence", "resource"} <= finding.keys()
    assert finding["evidence"][0]["text"] == "it failed"
    assert finding["resource"]["name"] == "w"


@pytest.mark.parametrize(("manifest", "code"), [(WELL, 0), (LATE, 0), (BROKEN, 1)])
def test_the_exit_code_is_one_only_when_a_finding_is_an_error(
    run: Run, write: Write, manifest: dict[str, Any], code: int
) -> None:
    assert run("findings", write("a.yaml", manifest)).exit_code == code
    assert run("findings", "--json", write("a.jsonl", lines({"manifest": manifest}))).exit_code == code


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.yaml", yaml.safe_dump_all([BROKEN, WELL])),
        ("a.json", json.dumps([BROKEN, WELL])),
        ("a.json", json.dumps({"apiVersion": "v1", "kind": "List", "items": [BROKEN, WELL]}, indent=2)),
        ("a.json", json.dumps({"kind": "WidgetList", "items": [BROKEN, WELL]})),
        ("a.jsonl", lines(BROKEN, WELL)),
        ("a.jsonl", "\ufeff\n" + lines({"manifest": BROKEN}) + "\n" + lines({"manifest": WELL})),
        ("a.json", json.dumps(BROKEN, indent=2) + "\n" + json.dumps(WELL, indent=2)),
    ],
)
def test_every_form_of_a_file_is_read(run: Run, write: Write, name: str, content: str) -> None:
    found = told(run("findings", "--json", write(name, content)).stdout)

    assert [(each["id"], len(each["findings"])) for each in found] == [("Widget/shop/w", 1), ("Widget/shop/x", 0)]


def test_one_object_of_many_lines_or_one_is_one_manifest(run: Run) -> None:
    for text in (json.dumps(BROKEN), json.dumps(BROKEN, indent=2), lines({"manifest": BROKEN}), yaml.safe_dump(BROKEN)):
        assert [each["id"] for each in told(run("findings", "--json", "-", stdin=text).stdout)] == ["Widget/shop/w"]


def test_objects_of_a_file_are_judged_together_and_told_apart(run: Run, write: Write) -> None:
    pod = deepcopy(POD)
    pod["status"]["containerStatuses"][0] |= {"restartCount": 0, "state": {"waiting": {"reason": "ContainerCreating"}}}
    pod["status"]["containerStatuses"][0].pop("lastState", None)
    mount = event(pod, "FailedMount", 'MountVolume.SetUp failed for volume "v" : secret "tls" not found')
    short = deepcopy(DEPLOYMENT) | {
        "status": {"conditions": [condition("Progressing", "False", "E", "deadline exceeded")]}
    }
    file = write("all.yaml", [short, REPLICA_SET, pod, mount])

    found = {each["id"].partition("/")[0]: each["findings"] for each in told(run("findings", "--json", file).stdout)}

    assert [*found] == ["Deployment", "ReplicaSet", "Pod", "Event"]
    assert any("secret" in evidence["text"] for each in found["Pod"] for evidence in each["evidence"])
    assert [each["resource"]["kind"] for each in found["Deployment"]] == ["Deployment"]
    assert found["Event"] == []


def test_one_object_at_two_times_is_judged_twice(run: Run, write: Write) -> None:
    mended = deepcopy(BROKEN) | {"status": WELL["status"]}

    found = told(run("findings", "--json", write("a.yaml", [BROKEN, mended, BROKEN])).stdout)

    assert [len(each["findings"]) for each in found] == [1, 0, 1]


def test_an_application_is_told_its_own_findings(run: Run, write: Write) -> None:
    broken = application()
    broken["status"] = {"conditions": [{"type": "ComparisonError", "message": "app path does not exist"}]}

    (found,) = told(run("findings", "--json", write("app.json", broken)).stdout)

    assert found["findings"][0]["evidence"][0]["source"] == "application"


def test_secrets_are_hidden(run: Run, write: Write) -> None:
    leaked = deepcopy(BROKEN)
    leaked["status"]["conditions"][0]["message"] = "login failed: password=hunter2-Zq81xLw0"

    for option in ((), ("--json",)):
        output = run("findings", *option, write("a.yaml", leaked)).output
        assert "login failed" in output
        assert "hunter2" not in output


def test_what_a_terminal_would_obey_is_never_printed(run: Run, write: Write) -> None:
    evil = deepcopy(BROKEN)
    evil["status"]["conditions"][0]["message"] = "failed \x1b[2J\x9b31m here\nand there\tthere"

    assert "\x1b" not in run("findings", write("a.json", evil)).output
    output = run("findings", "--json", write("a.json", evil)).stdout
    assert "\x1b" not in output
    assert "\x9b" not in output


def test_piped_output_is_a_finding_a_line_with_tabs(run: Run, write: Write) -> None:
    result = run("findings", write("a.yaml", [BROKEN, WELL, LATE]))

    first, second = result.stdout.splitlines()
    severity, where, title, *evidence = first.split("\t")
    assert (severity, where) == ("error", "Widget/shop/w")
    assert title.startswith("Widget w is not ready: it failed")
    assert evidence[0] == "status.conditions[0].message: it failed"
    assert second.startswith("warning\tWidget/shop/y\t")
    assert result.stderr == "3 manifests: 1 error, 1 warning\n"


def test_a_manifest_that_is_well_is_told_so_and_events_are_no_manifests(run: Run, write: Write) -> None:
    assert run("findings", write("a.yaml", [WELL])).stderr == "nothing wrong in 1 manifest\n"
    seen = event(POD, "Pulled", "Container image was pulled") | {"type": "Normal"}
    assert run("findings", write("b.yaml", [WELL, seen, seen])).stderr == "nothing wrong in 1 manifest with 2 events\n"
    assert run("findings", write("c.yaml", [BROKEN, LATE, LATE])).stderr == "3 manifests: 1 error, 2 warnings\n"


def test_what_was_never_applied_is_counted_and_its_fault_is_found(run: Run, write: Write) -> None:
    template = {"metadata": {"labels": {"app": "api"}}, "spec": {"containers": [{"name": "api", "image": "api:1"}]}}
    made = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api"}, "status": {}}
    good = made | {"spec": {"selector": {"matchLabels": {"app": "api"}}, "template": template}}
    bad = made | {"spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template}}
    checked = "no status, so never applied: only what the API server would refuse was checked"

    assert run("findings", write("good.yaml", good)).stderr.startswith(f"nothing wrong in 1 manifest; {checked}")
    assert (
        f"nothing wrong in 2 manifests; 1 of them have {checked}"
        in run("findings", write("both.yaml", [good, WELL])).stderr
    )
    result = run("findings", write("bad.yaml", bad))
    assert result.exit_code == 1
    assert "its selector wants app=web" in result.stdout
    assert f"1 manifest: 1 error; {checked}" in result.stderr


def test_an_empty_standard_input_is_named(run: Run) -> None:
    result = run("findings", "-", stdin="")

    assert result.exit_code == 2
    assert result.stderr.startswith("error: standard input: is empty; manifests were expected")


@pytest.mark.parametrize("width", [80, 120])
def test_on_a_terminal_nothing_is_broken_within_a_word_and_the_next_step_is_told(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    out = io.StringIO()
    monkeypatch.setattr(
        findings_table, "Console", lambda *, stderr=False: Console(file=io.StringIO() if stderr else out, width=width)
    )
    found = analyze(context(POD))

    with findings_table.Blocks() as blocks:
        blocks.add("Pod/shop/web-5d9-x1", found)

    lines = out.getvalue().splitlines()
    words = out.getvalue().split()
    assert lines[0].rstrip() == "Pod/shop/web-5d9-x1"
    assert lines[1].startswith("  error   Container api is OOMKilled")
    assert max(map(len, lines)) <= width
    for evidence in found[0].evidence[:3]:
        assert f"{evidence.path}:" in words
    assert set(found[0].next_steps[0].split()) <= set(words)


def test_a_long_listing_is_shown_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    out, told_apart = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", told_apart)
    monkeypatch.setattr(
        findings_table, "Console", lambda *, stderr=False: Console(file=told_apart if stderr else out, width=150)
    )

    with findings_table.Blocks() as blocks:
        for _ in range(450):
            blocks.add("Widget/shop/w", analyze(context(BROKEN)))
        shown_early = out.getvalue().count("not ready: it failed")

    assert shown_early == 400
    assert out.getvalue().count("not ready: it failed") == 450
    assert "450 manifests: 450 errors" in told_apart.getvalue()


def test_on_a_terminal_the_spinner_is_erased_before_the_findings(write: Write) -> None:
    file = write("pod.yaml", POD)
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    command = [sys.executable, "-m", "agent.cli", "findings", file]
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = read_all(ours)

    assert process.returncode == 1
    line = next(line for line in shown.splitlines() if "Pod/shop/web-5d9-x1" in line)
    assert "Reading" not in re.split(r"\x1b\[2K|\r", line)[-1]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", lines({"manifest": WELL}) + "{broken\n", "a.jsonl line 2: invalid JSON at column 2"),
        ("a.jsonl", lines({"manifest": WELL}, {"manifest": WELL}) + "[1]\n", "a.jsonl line 3: must be an object"),
        ("a.jsonl", lines({"manifest": WELL}, {"manifest": 5}), "a.jsonl line 2: `manifest` must be an object"),
        ("a.jsonl", lines(WELL).encode() + b'{"a": "\xff"}\n', "a.jsonl line 2: invalid UTF-8"),
        ("a.jsonl", "{broken\n" + lines({"manifest": WELL}), "a.jsonl line 1: invalid JSON"),
        ("a.jsonl", '{"kind": "Pod"\n' + lines({"manifest": WELL}), "a.jsonl line 1: invalid JSON at column 16"),
        ("values.yaml", "replicaCount: 2\n", "values.yaml: holds an object without `kind`, which is no manifest; of a"),
        ("a.yaml", "\na: ]", "a.yaml: invalid YAML at line 2 column 4"),
        ("a.yaml", "- 5", "a.yaml: holds something that is no Kubernetes object"),
        ("a.yaml", "", "a.yaml: is empty"),
    ],
)
def test_wrong_input_is_named(run: Run, write: Write, name: str, content: str | bytes, message: str) -> None:
    result = run("findings", "--json", write(name, content))

    assert result.exit_code == 2
    assert message in result.stderr


def test_a_missing_file_is_named_before_anything_is_printed(run: Run, write: Write, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.yaml")

    result = run("findings", write("a.yaml", BROKEN), missing)

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: {missing}: cannot be read")


def test_json_lines_are_never_in_memory_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    given = 0

    class Endless(io.RawIOBase):
        """A file of one line, over and over."""

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any, /) -> int:
            nonlocal given
            given += 1
            line = lines({"manifest": WELL}).encode()
            buffer[: len(line)] = line
            return len(line)

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Endless())))

    stream = batches("-")
    taken = [next(stream) for _ in range(50)]

    assert {batch.ids for batch in taken} == {("Widget/shop/x",)}
    assert given < 60


def test_findings_load_neither_model_nor_network(write: Write) -> None:
    loaded = loaded_by("findings", write("a.yaml", WELL))

    assert "agent.findings" in loaded
    assert not loaded & set(HEAVY)
