"""What GitHub reads of the repository: workflows with few rights and pinned actions, forms, updates, the changelog."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from tests.docs.pages import ROOT, headings_of, name_of

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted(form for form in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if form.name != "config.yml")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def loaded(path: Path) -> dict[str, Any]:
    return cast("dict[str, Any]", yaml.safe_load(path.read_text()))


def steps_of(workflow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in workflow["jobs"].values():
        yield from job.get("steps", [])


@pytest.mark.parametrize("path", WORKFLOWS, ids=name_of)
def test_a_workflow_may_only_read_unless_a_job_needs_more(path: Path) -> None:
    workflow = loaded(path)

    assert workflow["permissions"] == {"contents": "read"}
    assert [name for name, job in workflow["jobs"].items() if "steps" in job and "timeout-minutes" not in job] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=name_of)
def test_actions_are_githubs_own_and_pinned_by_version(path: Path) -> None:
    used = [step["uses"] for step in steps_of(loaded(path)) if "uses" in step]

    assert used
    assert [action for action in used if not re.fullmatch(r"actions/[\w-]+@v\d+\.\d+\.\d+", action)] == []


def test_lint_and_types_come_before_the_tests_on_each_python() -> None:
    jobs = loaded(GITHUB / "workflows" / "ci.yml")["jobs"]
    pythons: list[str] = jobs["test"]["strategy"]["matrix"]["python"]
    classified = [text.rpartition(" ")[2] for text in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", text)]

    assert jobs["test"]["needs"] == "check"
    assert any(step.get("run") == "make check" for step in jobs["check"]["steps"])
    assert any(step.get("run") == ".ci/run" for step in jobs["test"]["steps"])
    assert pythons == classified
    assert PROJECT["requires-python"] == f">={pythons[0]}"


def test_the_command_of_the_ci_is_that_of_the_readme() -> None:
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == "make test"


@pytest.mark.parametrize("path", FORMS, ids=name_of)
def test_a_form_asks_for_something(path: Path) -> None:
    form = loaded(path)
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    ids = [field["id"] for field in fields]

    assert form["name"]
    assert form["description"]
    assert len(set(ids)) == len(ids)
    assert any(field.get("validations", {}).get("required") for field in fields)


def test_there_is_a_form_for_each_kind_of_issue() -> None:
    assert [form.stem for form in FORMS] == ["bug", "feature", "wrong_finding"]


def test_python_packages_and_actions_are_kept_up_to_date() -> None:
    updates = loaded(GITHUB / "dependabot.yml")["updates"]

    assert {update["package-ecosystem"] for update in updates} == {"uv", "github-actions"}


def test_the_changelog_begins_with_what_is_unreleased() -> None:
    title, first, *rest = headings_of(ROOT / "CHANGELOG.md")
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    versions = [heading for heading in rest if heading not in kinds]

    assert (title, first) == ("Changelog", "[Unreleased]")
    assert [version for version in versions if not re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", version)] == []
