"""The tables of the documentation are those of the code."""

import asyncio
import re
from collections.abc import Callable
from enum import IntEnum
from typing import Any, get_args, get_type_hints

import pytest
import yaml
from fastapi.routing import APIRoute

from agent import ArgoCDAssistant, errors
from agent.cli.ask import ask
from agent.cli.findings import findings
from agent.context.kubernetes.api import BUILT_IN
from agent.errors import AssistantError
from agent.providers.events import WireProtocol
from agent.settings import Settings
from agent.turn.parse import custom_inputs
from serve.routes import router
from tests.conftest import TraceStore
from tests.context.argocd import test_application, test_related
from tests.docs.pages import ROOT, first_cells, marked, rows, text_of

DOCS = ROOT / "docs"


def test_every_setting_is_in_the_table_with_its_default() -> None:
    table = {row[0].strip("`"): row for row in rows(marked(DOCS / "settings.md", "settings"))}

    assert list(table) == [str(field.alias) for field in Settings.model_fields.values()]
    for field in Settings.model_fields.values():
        default = (
            ""
            if field.default is None
            else f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"
        )
        assert table[str(field.alias)][1:] == [default, field.description], f"the row of {field.alias}"


def test_every_error_is_in_the_table_with_its_status() -> None:
    table = {row[0].strip("`"): row[1] for row in rows(marked(DOCS / "errors.md", "errors"))}
    ours = {
        kind.code: str(kind.http_status)
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, AssistantError) and not kind.__subclasses__()
    }

    assert {code: status for code, status in table.items() if code in ours} == ours
    assert "invalid_request" in table


def test_the_custom_inputs_are_in_the_table_in_the_order_of_the_model() -> None:
    assert first_cells(DOCS / "request.md", "custom inputs") == list(custom_inputs().model_fields)


def test_every_custom_output_is_in_the_table(traces: TraceStore) -> None:
    body: dict[str, Any] = {
        "input": "Why?",
        "custom_inputs": {"manifest": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}}},
    }
    assistant = ArgoCDAssistant.from_environment()

    outputs = asyncio.run(assistant.respond(body))["custom_outputs"]

    assert sorted(first_cells(DOCS / "answer.md", "custom outputs")) == sorted(outputs)


def test_every_route_is_in_the_table() -> None:
    named = re.findall(r"/[\w/]+", " ".join(row[0] for row in rows(marked(DOCS / "http.md", "routes"))))

    assert sorted(named) == sorted([*{route.path for route in router.routes if isinstance(route, APIRoute)}, "/docs"])


def test_every_wire_protocol_is_in_the_table_of_servers() -> None:
    table = list(rows(marked(DOCS / "models.md", "protocols")))

    assert sorted(row[1].strip("`") for row in table) == sorted(get_args(WireProtocol.__value__))


@pytest.mark.parametrize("command", [ask, findings], ids=lambda command: command.__name__)
def test_every_exit_code_is_in_the_table_of_its_command(command: Callable[..., IntEnum]) -> None:
    codes: type[IntEnum] = get_type_hints(command)["return"]

    assert first_cells(DOCS / "terminal.md", f"exit codes: {command.__name__}") == [str(int(code)) for code in codes]


def test_the_number_of_requests_of_a_question_is_that_of_the_code() -> None:
    ((application, resource),) = re.findall(
        r"at most (\d+) requests about an Application and (\d+) about a resource", text_of(DOCS / "request.md")
    )

    assert int(application) == test_application.MOST_REQUESTS
    assert int(resource) == test_related.MOST_REQUESTS


def test_the_cluster_role_lets_every_built_in_kind_be_read_and_nothing_be_changed() -> None:
    (text,) = re.findall(r"```yaml\n(apiVersion: rbac.*?)```", text_of(DOCS / "deployment.md"), re.DOTALL)
    rules = yaml.safe_load(text)["rules"]
    granted = {(group, each) for rule in rules for group in rule["apiGroups"] for each in rule["resources"]}

    assert {(kind.group, kind.plural) for kind in BUILT_IN.values()} | {("", "pods/log")} <= granted
    assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "list"}
