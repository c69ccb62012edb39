"""The fix for what a message reports, by its form."""

import pytest

from agent.findings.engine.message_steps import fix_for, step_for
from agent.objects.manifest import Manifest
from tests.findings.cluster import resource

WIDGET: Manifest = resource(
    "example.com/v1", "Widget", "w", spec={"forProvider": {"roleArnRef": {"name": "reader"}}}, status={}
)


@pytest.mark.parametrize(
    ("message", "fix"),
    [
        (
            "create failed: User: arn:aws:iam::1:user/ci is not authorized to perform: rds:CreateDBInstance on "
            "resource: arn:aws:rds:eu:1:db:x because no policy allows it",
            "Grant arn:aws:iam::1:user/ci the right rds:CreateDBInstance on arn:aws:rds:eu:1:db:x",
        ),
        (
            'cannot list: secrets is forbidden: User "system:serviceaccount:a:b" cannot list resource "secrets" in API '
            'group "" in the namespace "shop"',
            'Grant system:serviceaccount:a:b the right list resource "secrets" on namespace "shop"',
        ),
        (
            "validate store: AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity",
            "Correct the trust policy of the IAM role",
        ),
        ('cannot get settings: Settings.example.com "main" not found', "Create Settings.example.com main, or correct"),
        ('could not get Store "vault", Store "vault" is not ready', "Look at Store vault first"),
        (
            "cannot resolve references: mg.Spec.ForProvider.RoleARN: referenced field was empty",
            "Look at Role reader first",
        ),
        (
            'Get "http://api.example.com/health": dial tcp 10.1.2.3:80: connect: connection refused',
            "Start or expose what serves http://api.example.com/health (10.1.2.3:80): nothing listens there",
        ),
        (
            'Post "https://api.example.com": dial tcp: lookup api.example.com on 10.0.0.10:53: no such host',
            "Correct the host name of https://api.example.com, or its DNS record",
        ),
        ('Get "https://a.example.com": x509: certificate signed by unknown authority', "Give https://a.example.com"),
        (
            'spec.size: Invalid value: "9": must be less than or equal to 5',
            'In Git, correct spec.size: Invalid value: "9": must be less than or equal to 5.',
        ),
        ('no matches for kind "Gadget" in version "example.com/v1"', "Install the CustomResourceDefinition of Gadget"),
        ("create failed: Bucket already exists", "Import or adopt the existing Bucket"),
        ("two rules have the same name 'x'", "In Git, make the names unique"),
    ],
)
def test_the_fix_names_what_the_message_names(message: str, fix: str) -> None:
    assert fix_for(message, WIDGET).startswith(fix)


def test_a_message_of_no_known_form_has_no_fix_but_a_step_that_quotes_it() -> None:
    assert fix_for("the flux is out of phase", WIDGET) == ""
    assert "the flux is out of phase" in step_for("the flux is out of phase", WIDGET)
    assert "example.com" in step_for("the flux is out of phase", WIDGET)


@pytest.mark.parametrize("message", ["", "  "])
def test_no_message_has_no_step(message: str) -> None:
    assert step_for(message, WIDGET) == ""
