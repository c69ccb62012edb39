"""The structure of an object says what is a secret, and its shape stays."""

from typing import Any

import pytest

from agent.redaction import Redactor
from tests.redaction.corpus.making import b64, pod

SECRET = "hunter2Xq9"


def hidden(value: Any) -> Any:
    return Redactor(b"session").value(value)


def test_arguments_are_read_as_those_of_the_program_that_the_image_is_named_after() -> None:
    container = {"name": "db", "image": "registry.example.com/mysql:8", "args": ["-uroot", "-phunter2Xq9"]}
    hidden = Redactor(b"key").value({"containers": [container]})
    assert hidden["containers"][0]["args"][0] == "-uroot"
    assert hidden["containers"][0]["args"][1].startswith("-p[REDACTED:password:")

    other = {"containers": [{"name": "web", "image": "nginx", "args": ["-p8080", "-php"]}]}
    assert Redactor(b"key").value(other) == other


def test_all_data_of_a_secret_is_hidden_and_nothing_else_of_it() -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "db", "labels": {"app": "db"}},
        "type": "Opaque",
        "data": {"username": b64("admin"), "port": b64("5432"), "empty": ""},
        "stringData": {"note": "hello", "masked": "++++++++"},
    }
    result = hidden(secret)
    assert {**result, "data": {}, "stringData": {}} == {**secret, "data": {}, "stringData": {}}
    assert result["data"]["username"].startswith("[REDACTED:")
    assert result["data"]["port"].startswith("[REDACTED:")
    assert result["data"]["empty"] == ""
    assert result["stringData"]["note"].startswith("[REDACTED:")
    assert result["stringData"]["masked"] == "++++++++"


def test_secrets_are_found_in_lists_and_in_values_of_other_objects() -> None:
    secret = {"kind": "Secret", "data": {"settings": b64(SECRET)}}
    for value in ({"kind": "List", "items": [secret]}, {"spec": {"objects": {"extra": [secret]}}}, [[secret]]):
        assert b64(SECRET) not in str(hidden(value))


@pytest.mark.parametrize(
    "value",
    [
        {"env": [{"name": "DB_PASSWORD", "value": SECRET}]},
        {"env": [{"value": SECRET, "name": "API_TOKEN"}]},
        {"parameters": [{"name": "auth.password", "value": SECRET, "forceString": True}]},
        {"parameters": [{"key": "auth.password", "value": SECRET}]},
        {"httpHeaders": [{"name": "Authorization", "value": f"Bearer {SECRET}"}]},
        {"patches": [{"op": "replace", "path": "/spec/password", "value": SECRET}]},
        {"args": ["--password", SECRET]},
        {"args": [f"--password={SECRET}", "--port=80"]},
        {"command": ["mysql", "-uroot", f"-p{SECRET}"]},
        {"command": ["mysql"], "args": ["-uroot", f"-p{SECRET}"]},
        {"command": ["curl", "-u", f"admin:{SECRET}", "https://x"]},
        {"command": ["sh", "-c", f"exec /app --admin-password '{SECRET}'"]},
        {"args": ["--passphrase", f"{SECRET} with blanks"]},
        {"spec": {"admin": {"password": SECRET}}},
        {"spec": {"adminPassword": {"value": SECRET}}},
        {"spec": {"passwords": [SECRET]}},
        {"spec": {"apiKey": SECRET}},
        {"metadata": {"annotations": {"example.com/api-token": SECRET}}},
        {"auths": {"ghcr.io": {"auth": b64(f"robot:{SECRET}")}}},
        {"data": {"config.yaml": f"database:\n  password: {SECRET}\n"}},
        {"data": {"app.properties": f"a=1\nspring.datasource.password={SECRET}\n"}},
        {"helm": {"values": f"env:\n- name: DB_PASSWORD\n  value: {SECRET}\n"}},
        {"DATABASE_URL": f"postgres://app:{SECRET}@db/x"},
        {"dsn": f"app:{SECRET}@tcp(db:3306)/x"},
        {"oauth2": {"cookieSecret": SECRET}},
    ],
)
def test_hides_a_value_by_its_name(value: dict[str, Any]) -> None:
    result = hidden(value)
    assert SECRET not in str(result)
    assert b64(f"robot:{SECRET}") not in str(result)
    assert list(result) == list(value)


@pytest.mark.parametrize(
    "value",
    [
        pod({"env": [{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}]}),
        pod({"env": [{"name": "DB_PASSWORD", "value": "$(OTHER)"}, {"name": "TOKEN_TTL", "value": "3600"}]}),
        pod({"env": [{"name": "PASSWORD_FILE", "value": "/run/secrets/db"}, {"name": "USE_TOKEN", "value": "true"}]}),
        {"imagePullSecrets": [{"name": "regcred"}], "automountServiceAccountToken": True},
        {"secrets": [{"name": "default-token-x2x4z"}], "tokenExpirationSeconds": 3600},
        {"volumes": [{"name": "tls", "secret": {"secretName": "db-tls", "items": [{"key": "tls.key", "path": "k"}]}}]},
        {"tls": [{"secretName": "shop-tls", "hosts": ["shop.example.com"]}]},
        {"data": [{"secretKey": "password", "remoteRef": {"key": "prod/db", "property": "password"}}]},
        {"auth": {"existingSecret": "postgres-credentials", "secretKeys": {"adminPasswordKey": "postgres-password"}}},
        {"metadata": {"annotations": {"checksum/secret": "9f86d081884c7d659a2feaa0c55ad015" * 2}}},
        {"privateKey": {"algorithm": "RSA", "rotationPolicy": "Always"}},
        {"password": None, "token": 5, "secret": True, "apiKey": 1.5},
        {"hunter2": "key"},
    ],
)
def test_references_and_settings_stay(value: dict[str, Any]) -> None:
    assert hidden(value) == value


def test_the_value_given_is_not_changed() -> None:
    value = {"env": [{"name": "DB_PASSWORD", "value": SECRET}]}
    assert hidden(value) != value
    assert value == {"env": [{"name": "DB_PASSWORD", "value": SECRET}]}


def test_a_value_of_any_depth_is_read() -> None:
    root: dict[str, Any] = {}
    node = root
    for _ in range(5_000):
        node["next"] = {"password": SECRET}
        node = node["next"]
    node = hidden(root)
    depth = 0
    while "next" in node:
        node = node["next"]
        depth += 1
        assert node["password"].startswith("[REDACTED:password:")
    assert depth == 5_000


def test_a_value_that_holds_itself_is_read() -> None:
    root: dict[str, Any] = {"password": SECRET}
    root["self"] = root
    result = hidden(root)
    assert result["self"]["self"] is result["self"]
    assert result["self"]["password"].startswith("[REDACTED:password:")


def test_one_shared_object_is_hidden_in_each_role() -> None:
    shared = {"settings": b64(SECRET)}
    result = hidden([{"kind": "ConfigMap", "data": shared}, {"kind": "Secret", "data": shared}])
    assert b64(SECRET) not in str(result), "learned from the Secret, hidden in the ConfigMap too"
