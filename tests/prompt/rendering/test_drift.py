"""Drift on the page: what matters first, within the room there is."""

import yaml

from agent.findings.drift import drifts_of
from agent.objects.manifest import Manifest
from agent.prompt.rendering.drift import render_drift
from agent.prompt.rendering.rendered import Rendered
from agent.prompt.tokens import count_tokens
from tests.findings.drift.states import CONTAINERS, DEPLOYMENT, container, context_of, edited, managed, put


def rendered(*states: tuple[Manifest | None, Manifest | None], limit: int = 4_000) -> Rendered:
    return render_drift(drifts_of(context_of(*(managed(git, live) for git, live in states))), limit)


def large(value: str, first: int) -> Manifest:
    """A Deployment of about 3,000 lines: many variables, annotations, volumes and defaults."""

    def change(manifest: Manifest) -> None:
        numbers = range(first, first + 600)
        container(manifest)["env"] = [{"name": f"VARIABLE_{i}", "value": f"{value}-{i}"} for i in numbers]
        container(manifest)["image"] = f"registry.example.com/shop/api:{value}"
        manifest["metadata"]["annotations"] = {f"example.com/{value}-{i}": value for i in range(600)}
        volumes = [{"name": f"v{i}", "configMap": {"name": f"c-{value}-{i}"}} for i in range(400)]
        manifest["spec"]["template"]["spec"]["volumes"] = volumes
        for i in range(40):
            manifest["spec"][f"{value}Field{i}"] = {"one": i, "other": value}

    return edited(change)


def test_a_resource_of_three_thousand_lines_takes_less_than_1500_tokens() -> None:
    git, live = large("green", 0), large("blue", 200)
    assert len(yaml.safe_dump(git).splitlines()) > 3_000

    part = rendered((git, live), limit=100_000)

    assert part.tokens == count_tokens(part.text) < 1_500
    assert "spec.template.spec.containers[name=api].image cluster registry.example.com/shop/api:blue" in part.text
    assert "- spec.template.spec.containers[*].env[*].value: 400 differ: [name=VARIABLE_200] cluster" in part.text
    assert "- spec.template.spec.containers[*].env[*]: 200 only in Git: [name=VARIABLE_0]" in part.text
    assert "- spec.template.spec.volumes[*].configMap.name: 400 differ: [name=v0] cluster c-blue-0" in part.text
    assert "- metadata.annotations.*: 600 only in Git" in part.text


def test_the_room_is_never_passed_and_what_did_not_fit_is_said() -> None:
    git, live = large("green", 0), large("blue", 200)

    for limit in (100, 150, 250, 400):
        part = rendered((git, live), limit=limit)
        assert count_tokens(part.text) <= limit
        assert part.left_out.startswith("differences of Deployment shop/api: ")
        assert "changed" in part.left_out


def test_real_changes_stand_before_defaults_and_keep_their_values() -> None:
    def lived(manifest: Manifest) -> None:
        manifest["spec"].update(revisionHistoryLimit=10, replicas=5, progressDeadlineSeconds=600)

    assert rendered((DEPLOYMENT, edited(lived))).text.splitlines() == [
        "# Deployment shop/api: cluster against Git",
        "- spec.replicas cluster 5, Git 2",
        "- default of the API server (the API server filled it in): spec.revisionHistoryLimit, "
        "spec.progressDeadlineSeconds",
    ]


def test_resources_with_real_changes_stand_before_those_without() -> None:
    noisy = edited(put("metadata", "name", value="noisy"))
    text = rendered(
        (noisy, edited(put("spec", "revisionHistoryLimit", value=10), noisy)),
        (DEPLOYMENT, edited(put("spec", "replicas", value=7))),
    ).text

    assert text.index("Deployment shop/api") < text.index("Deployment shop/noisy")


def test_of_long_lists_and_texts_only_what_differs_is_shown() -> None:
    arguments = [f"--flag-{i}" for i in range(500)]
    git = edited(put(*CONTAINERS, 0, "args", value=arguments))
    live = edited(put(*CONTAINERS, 0, "args", value=[*arguments[:200], *arguments[201:], "--debug"]))
    assert "args cluster 1 entries: --debug, Git 1 entries: --flag-200" in rendered((git, live)).text

    lines = [f"line {i}" for i in range(3_000)]
    script: Manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "s"},
        "data": {"run": "\n".join(lines)},
    }
    lines[1_500] = "exit 1"
    assert rendered((script, edited(put("data", "run", value="\n".join(lines)), script))).text.endswith(
        "- data.run cluster 1 lines: exit 1, Git 1 lines: line 1500"
    )


def test_a_secret_shows_no_value() -> None:
    git: Manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "data": {"password": "++++++++"}}
    text = rendered((git, edited(put("data", "password", value="+++++++++"), git))).text

    assert text.splitlines() == [
        "# Secret db: cluster against Git",
        "- data.password (the value differs; it is a Secret's)",
    ]


def test_many_resources_share_the_room() -> None:
    states = [
        tuple(
            edited(put("metadata", "name", value=f"api-{i}"), each)
            for each in (DEPLOYMENT, edited(put("spec", "replicas", value=9)))
        )
        for i in range(200)
    ]
    part = rendered(*[(git, live) for git, live in states], limit=1_000)

    assert count_tokens(part.text) <= 1_000
    assert part.left_out.endswith("resources that differ")
    assert "api-0" in part.text
