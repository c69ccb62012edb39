"""A survey's notes: read back whole, refused when they are of another survey."""

from dataclasses import replace
from pathlib import Path

import pytest

from agent.context.model import Gap
from agent.errors import RequestError
from agent.findings.model import Evidence, Finding
from agent.objects.target import ResourceRef
from agent.turn.triage.checkpoint import Checkpoint
from agent.turn.triage.examined import Examined

POD = ResourceRef(kind="Pod", name="web-1", namespace="shop")
EXAMINED = Examined(
    application="argocd/shop",
    project="web",
    health="Degraded",
    sync="Synced",
    findings=(
        Finding(
            title="Container api is OOMKilled",
            severity="error",
            explanation="It is.",
            evidence=(Evidence(source="manifest", path="status.reason", text="OOMKilled", resource=POD),),
            resource=POD,
            blames=(POD,),
        ),
    ),
    gaps=(Gap(part="logs", source="argocd", reason="forbidden", message="No."),),
)


def noted(path: Path, *examined: Examined) -> None:
    checkpoint = Checkpoint(path, of="here")
    for each in examined:
        checkpoint.note(each)
    checkpoint.close()


def test_what_was_noted_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    noted(path, EXAMINED)
    noted(path, replace(EXAMINED, application="argocd/ledger"))

    read = Checkpoint(path, of="here").read()

    assert read == [EXAMINED, replace(EXAMINED, application="argocd/ledger")]


def test_without_a_file_nothing_is_known(tmp_path: Path) -> None:
    assert Checkpoint(tmp_path / "none", of="here").read() == []


def test_a_line_that_was_broken_off_is_left_out_and_swallows_no_other(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    noted(path, EXAMINED)
    path.write_text(path.read_text() + '{"application": "argocd/led')
    noted(path, replace(EXAMINED, application="argocd/search"))

    assert [each.application for each in Checkpoint(path, of="here").read()] == ["argocd/shop", "argocd/search"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('{"survey": "elsewhere"}\n', "is of another survey"),
        ("no notes at all\n", "is of another survey"),
        ('{"survey": "here"}\n{"application": 5}\n', "line 2 is not what a survey notes"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "notes"
    path.write_text(text)
    with pytest.raises(RequestError, match=what):
        Checkpoint(path, of="here").read()


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="cannot be read"):
        Checkpoint(tmp_path, of="here").read()
