"""What the corpus is made of: generators of values, and objects that carry them."""

import base64
import json
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

type Make = Callable[[Random], str]
type Manifest = dict[str, Any]

ALNUM = string.ascii_letters + string.digits
URLSAFE = ALNUM + "-_"
HEX = "0123456789abcdef"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of value: how one is made, and the texts and objects that it is met in."""

    name: str
    make: Make
    texts: tuple[str, ...]
    """Templates with {} for the value: event messages, log lines and questions."""
    manifests: tuple[Callable[[str], Manifest], ...]


def of(alphabet: str, length: int, prefix: str = "", suffix: str = "") -> Make:
    """Random signs, a letter and a digit among them as generators of secrets guarantee."""
    letters = [sign for sign in alphabet if sign.isalpha()]

    def make(random: Random) -> str:
        signs = [random.choice(alphabet) for _ in range(length)]
        if length >= 8:
            signs[1], signs[3], signs[5] = random.choice(letters), random.choice(string.digits), random.choice(letters)
        return prefix + "".join(signs) + suffix

    return make


def password(random: Random) -> str:
    """As people and generators write them."""
    word = random.choice(["hunter", "Winter", "correct", "Tr0ub4dor", "monkey", "S3cur3", "letme1n", "Zebra"])
    styles = [
        f"{word}{random.randint(2, 9999)}",
        f"{word}{random.choice('!$%^*?_-.')}{random.randint(10, 99)}",
        "".join(random.choice(ALNUM) for _ in range(random.randint(10, 32))) + "7b",
        "".join(random.choice(ALNUM + "!$^*-_.~+") for _ in range(18)) + "x9",
        "".join(random.choice(HEX) for _ in range(32)),
        "-".join(random.choice(["apple", "Stone", "river7", "cloud", "Tiger3"]) for _ in range(3)) + "42",
    ]
    return random.choice(styles)


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def jwt(random: Random) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    claims = {"iss": "kubernetes/serviceaccount", "sub": f"system:serviceaccount:shop:api-{random.randint(1, 99)}"}
    return ".".join([part({"alg": "RS256", "typ": "JWT"}), part(claims), of(URLSAFE, 43)(random)])


def pem(label: str) -> Make:
    def make(random: Random) -> str:
        body = ["".join(random.choice(ALNUM + "+/") for _ in range(64)) for _ in range(random.randint(3, 26))]
        edge = "PRIVATE KEY" + "-----"
        return "\n".join([f"-----BEGIN {label}{edge}", *body, of(ALNUM, 22)(random) + "==", f"-----END {label}{edge}"])

    return make


def pod(container: Mapping[str, Any], **metadata: Any) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "api-7d9f8b6c5d-x2x4z", "namespace": "shop", **metadata},
        "spec": {"containers": [{"name": "api", "image": "ghcr.io/shop/api:1.4.2", **container}]},
    }


def env(name: str) -> Callable[[str], Manifest]:
    return lambda value: pod({"env": [{"name": "LOG_LEVEL", "value": "info"}, {"name": name, "value": value}]})


def args(*template: str) -> Callable[[str], Manifest]:
    return lambda value: pod({"args": [item.replace("{}", value) for item in template]})


def command(*template: str) -> Callable[[str], Manifest]:
    return lambda value: pod({"command": [item.replace("{}", value) for item in template]})


def annotation(name: str, template: str = "{}") -> Callable[[str], Manifest]:
    return lambda value: pod({}, annotations={name: template.replace("{}", value)})


def config_map(key: str, template: str = "{}") -> Callable[[str], Manifest]:
    return lambda value: {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "api-config", "namespace": "shop"},
        "data": {"LOG_LEVEL": "info", key: template.replace("{}", value)},
    }


def custom(*path: str) -> Callable[[str], Manifest]:
    def build(value: str) -> Manifest:
        node: Any = value
        for step in reversed(path):
            node = {step: node, "enabled": True}
        return {"apiVersion": "db.example.com/v1", "kind": "Database", "metadata": {"name": "orders"}, "spec": node}

    return build


def helm(name: str) -> Callable[[str], Manifest]:
    return lambda value: {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {"source": {"chart": "shop", "helm": {"parameters": [{"name": name, "value": value}]}}},
    }


def helm_values(template: str) -> Callable[[str], Manifest]:
    return lambda value: {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {"source": {"chart": "shop", "helm": {"values": template.replace("{}", value)}}},
    }


def secret(key: str, template: str = "{}", *, plain: bool = False) -> Callable[[str], Manifest]:
    def build(value: str) -> Manifest:
        text = template.replace("{}", value)
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "api", "namespace": "shop"},
            "type": "Opaque",
            ("stringData" if plain else "data"): {key: text if plain else b64(text)},
        }

    return build


def applied_secret(key: str) -> Callable[[str], Manifest]:
    name = "kubectl.kubernetes.io/last-applied-configuration"
    return lambda value: {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "api", "annotations": {name: json.dumps(secret(key)(value))}},
        "data": {key: "++++++++"},
    }


def reference(*path: str) -> Callable[[str], Manifest]:
    def build(value: str) -> Manifest:
        node: Any = value
        for step in reversed(path):
            node = {step: node}
        return pod({"env": [{"name": "DB_PASSWORD", "valueFrom": node}]})

    return build
