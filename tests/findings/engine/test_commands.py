"""Commands of next steps are quoted for a shell."""

import shlex

import pytest

from agent.findings.engine.commands import argocd, kubectl


@pytest.mark.parametrize(
    "words",
    [
        ("get", "pods"),
        ("logs", "job/migrate", "--all-containers"),
        ("patch", "deployment", "api", "-p", '{"spec":{"replicas":2}}'),
        ("get", "pod", "two words"),
        ("get", "pod", ""),
        ("get", "pod", " "),
        ("get", "pod", "a\nb"),
        ("get", "pod", "x;rm"),
        ("get", "pod", "größe"),
        ("get", "pod", "$(id)"),
    ],
)
def test_every_word_is_read_back_by_a_shell_as_it_is(words: tuple[str, ...]) -> None:
    assert shlex.split(kubectl(*words, namespace="shop").strip("`")) == ["kubectl", "-n", "shop", *words]
    assert argocd(*words) == f"`{shlex.join(['argocd', *words])}`"
