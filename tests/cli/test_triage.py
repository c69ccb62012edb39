"""`argocd-assistant triage` as a user runs it."""

import json
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.fakes.argocd import TOKEN, FakeArgoCD
from tests.turn.triage.fleet import fleet


@pytest.fixture
def ten(monkeypatch: pytest.MonkeyPatch) -> Generator[FakeArgoCD]:
    fake = fleet(10, resources=2)
    with fake.serving() as url:
        monkeypatch.setenv("ARGOCD_SERVER", url)
        monkeypatch.setenv("ARGOCD_AUTH_TOKEN", TOKEN)
        yield fake


def test_groups_are_lines_in_a_pipe_and_the_counts_go_to_standard_error(ten: FakeArgoCD, run: Run) -> None:
    result = run("triage")

    assert result.exit_code == 1
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert [(severity, count) for severity, count, _, _ in lines] == [("error", "1"), ("error", "1"), ("warning", "1")]
    assert {names for *_, names in lines} == {"argocd/app-0007", "argocd/app-0008", "argocd/app-0009"}
    assert (
        "10 Applications: 9 Healthy, 1 Degraded; 8 Synced, 1 Unknown, 1 OutOfSync. 3 are not well, 3 looked at."
        in result.stderr
    )


def test_json_is_one_object(ten: FakeArgoCD, run: Run) -> None:
    told = json.loads(run("triage", "--json").stdout)

    assert (told["applications"], told["troubled"], told["looked_at_closely"]) == (10, 3, 3)
    killed = next(group for group in told["groups"] if "OOMKilled" in group["title"])
    assert killed["applications"] == ["argocd/app-0007"]
    assert killed["evidence"][0]["text"] == "OOMKilled"


def test_all_well_is_no_error(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    with fleet(7, resources=1).serving() as url:
        monkeypatch.setenv("ARGOCD_SERVER", url)
        monkeypatch.setenv("ARGOCD_AUTH_TOKEN", TOKEN)
        result = run("triage")

    assert (result.exit_code, result.stdout) == (0, "")


def test_an_interrupted_triage_goes_on_from_its_notes(ten: FakeArgoCD, run: Run, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    run("triage", "--resume", str(notes))
    lines = notes.read_text().splitlines()
    notes.write_text("\n".join(lines[:2]) + "\n" + lines[2][:20])
    ten.requests.clear()

    told = json.loads(run("triage", "--json", "--resume", str(notes)).stdout)

    assert sum(len(group["applications"]) for group in told["groups"]) == 3
    asked = {path.split("/")[4] for path in ten.paths() if path.count("/") > 3}
    assert len(asked) == 2


def test_without_argocd_it_says_what_to_set(run: Run) -> None:
    result = run("triage")

    assert result.exit_code == 2
    assert "set ARGOCD_SERVER and ARGOCD_AUTH_TOKEN" in result.stderr


def test_an_argocd_that_refuses_the_token_is_an_error(
    ten: FakeArgoCD, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARGOCD_AUTH_TOKEN", "wrong")
    result = run("triage")

    assert result.exit_code == 2
    assert "replace the API token in ARGOCD_AUTH_TOKEN" in result.stderr
