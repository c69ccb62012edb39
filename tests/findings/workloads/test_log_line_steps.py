"""What to do about a line of a log that names a thing."""

import pytest

from agent.findings.workloads.log_line_steps import step_of
from agent.objects.manifest import Manifest
from tests.findings.citations import findings_of
from tests.findings.cluster import context, crash_loop, log, pod


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("fs.inotify.max_user_watches [8192] is too low, increase to at least [65536]", "`sysctl -w fs.inotify"),
        ("heap is too small, must be at least 512m", "Set heap to 512m or more"),
        ('no matches for kind "Lamp" in version "light.example.com/v1"', "`kubectl get crds | grep light.example.com`"),
        ("ModuleNotFoundError: No module named 'lamps'", "an image that has lamps"),
        ("error while loading shared libraries: liblamp.so.3: cannot open shared object file", "liblamp.so.3"),
        ('Class "Lamp" not found in /srv/a.php:4', "an image that has Lamp"),
        ("x/Lamp has been compiled by a more recent version of the Java Runtime", "version of the runtime"),
        ("ENOENT: no such file or directory, open '/etc/lamp/on.yaml'", "Provide /etc/lamp/on.yaml"),
        ("open /etc/lamp/on.yaml: no such file or directory", "Provide /etc/lamp/on.yaml"),
        ("nginx: [emerg] bind() to 0.0.0.0:443 failed (13: Permission denied)", "1024 on instead of 443"),
        ("listen tcp :8080: bind: address already in use", "listen on port 8080"),
        ('host not found in resolver "dns.kube-system.svc" in /etc/nginx/nginx.conf:3', "dns.kube-system.svc"),
        ("lamp: error: unrecognized arguments: --bright 4", "Remove or correct --bright"),
        ("flag provided but not defined: -bright", "Remove or correct -bright"),
        ("LAMP_TOKEN environment variable is not set", "environment variable LAMP_TOKEN"),
        ('relation "lamps" does not exist', "Create the relation lamps"),
        ("data directory format is incompatible with this server", "version that wrote the data"),
        ("member 8e9e has already been bootstrapped", "etcdctl member remove"),
        ("x509: certificate is valid for lamp.example.com, not light.example.com", "light.example.com in its names"),
        ("x509: certificate signed by unknown authority", "Mount the CA"),
        (
            'User "system:serviceaccount:a:lamp" cannot watch resource "pods" in API group "" in the namespace "a"',
            "the verb watch on pods in namespace a, by a Role and a RoleBinding",
        ),
        ("/bin/sh: 1: syntax error: unexpected end of file", "Correct the script"),
        ("could not parse /etc/lamp/on.yaml: line 12: unexpected key", "line 12 of /etc/lamp/on.yaml"),
    ],
)
def test_the_step_names_the_thing_that_the_line_names(line: str, step: str) -> None:
    assert step in step_of(line)


@pytest.mark.parametrize(
    "line",
    [
        "the moon is wrong",
        "listening on 0.0.0.0:8080",
        "System.IO.FileNotFoundException: it is gone",
        "served 12 requests in 4 seconds, at least 3 were slow",
    ],
)
def test_a_line_that_names_nothing_known_has_no_step(line: str) -> None:
    assert step_of(line) == ""


DENIED = log("open /var/lamp/on.lock: permission denied")


def first_step(mounts: list[Manifest], volumes: list[Manifest], **security: object) -> str:
    spec: Manifest = {"volumeMounts": mounts, "securityContext": security}
    return findings_of(context(pod(crash_loop(1), spec=spec, pod_spec={"volumes": volumes}), logs=(DENIED,)))[
        0
    ].next_steps[0]


def test_a_path_on_a_claim_needs_the_group_of_the_volume() -> None:
    step = first_step(
        [{"name": "data", "mountPath": "/var/lamp"}],
        [{"name": "data", "persistentVolumeClaim": {"claimName": "lamp-data"}}],
        runAsGroup=2000,
    )

    assert "fsGroup` to 2000, so that volume data (PersistentVolumeClaim lamp-data) at /var/lamp" in step


def test_a_path_in_the_image_needs_a_volume_and_no_group() -> None:
    step = first_step([], [], runAsUser=1000)

    assert step.startswith("Mount an emptyDir at /var/lamp")
    assert "fsGroup" not in step


def test_a_config_map_cannot_be_written() -> None:
    step = first_step(
        [{"name": "settings", "mountPath": "/var/lamp"}], [{"name": "settings", "configMap": {"name": "lamp"}}]
    )

    assert "volume settings (ConfigMap lamp) is mounted read-only at /var/lamp" in step


def test_the_group_of_the_pod_does_not_apply_to_a_host_path() -> None:
    step = first_step([{"name": "host", "mountPath": "/var/lamp"}], [{"name": "host", "hostPath": {"path": "/srv"}}])

    assert "is a hostPath, to which fsGroup does not apply" in step
