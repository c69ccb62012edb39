"""An error message is taken apart into frames and its innermost cause."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.objects.error_message import READ_LIMIT, parse, shorten

CAUSES = {
    'one or more objects failed to apply, reason: error when patching "/dev/shm/148": Deployment.apps "accounts" is '
    'invalid: spec.selector: Invalid value: {"matchLabels":{"app":"v2"}}: field is immutable (retried 5 times).': (
        'spec.selector: Invalid value: {"matchLabels":{"app":"v2"}}: field is immutable'
    ),
    "Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = "
    "Manifest generation error (cached): plugin sidecar failed. rpc error: code = DeadlineExceeded desc = context "
    "deadline exceeded": "context deadline exceeded",
    "error synchronizing cache state : failed to sync cluster https://10.0.0.1:443: conversion webhook for b.io/v1, "
    'Kind=Bucket failed: Post "https://provider.system.svc:9443/convert?timeout=30s": no endpoints available for '
    'service "provider"': 'no endpoints available for service "provider"',
    "rpc error: code = Unknown desc = `helm template . --name-template web` failed exit status 1: Error: YAML parse "
    "error on web/templates/cm.yaml: error converting YAML to JSON: yaml: line 12: mapping values are not allowed in "
    "this context\n\nUse --debug flag to render out invalid YAML": (
        "error converting YAML to JSON: yaml: line 12: mapping values are not allowed in this context"
    ),
    "error generating manifests: `helmfile template` failed signal: killed": "signal: killed",
    'Readiness probe failed: Get "http://10.0.0.1:8080/ready": dial tcp 10.0.0.1:8080: connect: connection refused': (
        "dial tcp 10.0.0.1:8080: connect: connection refused"
    ),
    'Error creating: pods "web-1" is forbidden: exceeded quota: team, requested: limits.cpu=1, used: limits.cpu=6': (
        "exceeded quota: team, requested: limits.cpu=1, used: limits.cpu=6"
    ),
    'Error from server (Forbidden): secrets is forbidden: User "ci" cannot list resource "secrets" in API group "" at '
    "the cluster scope": (
        'secrets is forbidden: User "ci" cannot list resource "secrets" in API group "" at the cluster scope'
    ),
    "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity status code: 403, request id: 6d8d": (
        "Not authorized to perform sts:AssumeRoleWithWebIdentity status code: 403"
    ),
    'failed to create thing: {"error": {"code": 409, "message": "quota project is gone"}}': "quota project is gone",
    'MountVolume.SetUp failed for volume "data" : mount failed: exit status 32 Mounting command: mount Mounting '
    "arguments: -t nfs nas:/x /mnt Output: mount.nfs: access denied by server while mounting nas:/x": (
        "mount.nfs: access denied by server while mounting nas:/x"
    ),
    "0/3 nodes are available: 3 Insufficient cpu.": "0/3 nodes are available: 3 Insufficient cpu",
    "connection refused": "connection refused",
}


@pytest.mark.parametrize(("message", "cause"), CAUSES.items())
def test_the_innermost_clause_is_the_cause(message: str, cause: str) -> None:
    assert parse(message).cause == cause


def test_frames_name_what_they_are_about() -> None:
    message = parse(
        "Failed to sync: conversion webhook for b.io/v1, Kind=Bucket failed: Post "
        '"https://provider.system.svc:9443/convert": EOF in the middle'
    )
    assert message.detail("url") == "https://provider.system.svc:9443/convert"
    assert message.detail("kind") == "b.io/v1, Kind=Bucket"
    assert message.detail("image") == ""


def test_errors_of_a_list_are_all_kept() -> None:
    message = parse("could not sync: [secret a is missing: not there at all, volume b is missing: it was deleted]")
    assert message.cause == "not there at all"
    assert message.others == ("it was deleted",)
    bullets = parse("2 errors occurred:\n\t* the first is wrong\n\t* the second is wrong\n\n")
    assert (bullets.cause, *bullets.others) == ("the first is wrong", "the second is wrong")


def test_a_cause_that_names_nothing_is_stated_with_its_frame() -> None:
    message = parse("failed to discover server resources for monitoring.coreos.com/v1: the server could not find it")
    assert (
        message.statement
        == "failed to discover server resources for monitoring.coreos.com/v1: the server could not find it"
    )
    assert parse('failed to start: secret "a" not found').statement == 'secret "a" not found'


def test_a_shortened_message_keeps_both_ends_and_loses_its_command_line_first() -> None:
    command = "helm template . " + " ".join(f"--api-versions example.com/v1/Kind{n}" for n in range(500))
    long = f"failed to generate: `{command}` failed exit status 1: Error: values.yaml: line 3 is wrong"
    assert shorten(long, 200) == (
        "failed to generate: `helm template …` failed exit status 1: Error: values.yaml: line 3 is wrong"
    )
    words = "it begins here " + "and goes on " * 200 + "it ends here"
    short = shorten(words, 100)
    assert len(short) <= 100
    assert short.startswith("it begins here")
    assert short.endswith("it ends here")


@given(
    st.lists(
        st.sampled_from(["failed to load", "rpc error", "x.y", "`", '"', "[", "{", "(", "exit status 1"]), max_size=200
    )
)
def test_any_text_has_a_cause_that_is_part_of_it(words: list[str]) -> None:
    text = ": ".join(words)
    message = parse(text)
    assert message.cause in " ".join(text.split())
    assert bool(message.cause) == bool(text.strip())


@given(st.integers(min_value=0, max_value=60_000), st.integers(min_value=40, max_value=500))
def test_a_message_of_any_length_keeps_its_innermost_cause(filling: int, limit: int) -> None:
    text = f"failed to render: {'x' * filling}: the file a.yaml is empty"
    assert parse(text).cause == "the file a.yaml is empty"
    assert shorten(text, limit).endswith("a.yaml is empty")


def test_the_read_limit_bounds_the_work() -> None:
    assert len(parse("a: " * 100_000 + "the end is here").text) <= READ_LIMIT + 10
