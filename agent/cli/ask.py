"""`ask`: from the options to a request, through the turn, to an exit code. Owns neither files nor the screen."""

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from agent.cli.conversation import converse
from agent.cli.exit_codes import ExitCode
from agent.cli.files import read_logs, read_manifests
from agent.cli.notices import provider_notices
from agent.cli.screen import JsonScreen, Screen, TextScreen
from agent.errors import AssistantError, RequestError, SessionError, SettingsError
from agent.objects.manifest import Manifest, text_at
from agent.prompt.instructions import InstructionsSource
from agent.providers.events import TextDelta, ToolCall
from agent.request.question import Question
from agent.settings import Settings, load_settings
from agent.turn.assistant import Assistant
from agent.turn.events import Outcome, Report
from agent.turn.parse import parse_question


@dataclass(frozen=True, slots=True, kw_only=True)
class AskOptions:
    """The options of `ask`, as they were written."""

    question: str
    application: str | None = None
    resource: str | None = None
    namespace: str = ""
    files: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()
    container: str | None = None
    tail: int | None = None
    previous: bool = False
    since: int | None = None
    session: str | None = None


# The options behind the fields of the request; a field that another one begins with comes after it.
_OPTIONS = {
    "custom_inputs.application_manifest": "-f",
    "custom_inputs.application.name": "--app",
    "custom_inputs.application.namespace": "--app",
    "custom_inputs.application": "--app",
    "custom_inputs.resource.namespace": "--namespace",
    "custom_inputs.resource.kind": "--resource",
    "custom_inputs.resource.group": "--resource",
    "custom_inputs.resource.name": "--resource",
    "custom_inputs.resource": "--resource",
    "custom_inputs.log_request.container": "--container",
    "custom_inputs.log_request.tail_lines": "--tail",
    "custom_inputs.log_request.since_seconds": "--since",
    "custom_inputs.session_id": "--session",
    "custom_inputs.manifest": "-f",
    "custom_inputs.children": "-f, after the first,",
    "custom_inputs.events": "--events",
    "custom_inputs.logs": "--logs",
}


def ask(asked: AskOptions, *, as_json: bool) -> ExitCode:
    """Print the answer to standard output, all else to standard error; return the exit code."""
    with provider_notices() as notices, JsonScreen() if as_json else TextScreen(notices.has_seen) as screen:
        try:
            settings = load_settings()
            question = parse_question(request_body(asked), tail_lines_max=settings.log_tail_lines_max)
            return asyncio.run(_once(settings, question, screen))
        except AssistantError as error:
            screen.failed(error.code, _in_options(error))
            wrong = isinstance(error, RequestError | SettingsError | SessionError)
            return ExitCode.WRONG_INPUT if wrong else ExitCode.NOT_ANSWERED
        except BrokenPipeError:  # the reader of the pipe has gone; Python would flush into it at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return ExitCode.INTERRUPTED
        except KeyboardInterrupt:
            screen.failed("interrupted", "Interrupted.")
            return ExitCode.INTERRUPTED


def _instructions(settings: Settings) -> InstructionsSource | None:
    """The configured version in MLflow's prompt registry; MLflow is not loaded for the built-in text."""
    if settings.instructions is None:
        return None
    from agent.mlflow.prompt_registry import RegisteredInstructions

    return RegisteredInstructions(settings.instructions, team=settings.team_instructions or "").current


def ask_on(asked: AskOptions) -> ExitCode:
    """Answer questions until the input ends: `ask --interactive`."""
    with provider_notices() as notices:
        try:
            settings = load_settings()
            body = request_body(asked)
            if asked.question:  # a wrong option is reported before anything is asked
                parse_question(body, tail_lines_max=settings.log_tail_lines_max)
            return _conversation(settings, body, screen=lambda: TextScreen(notices.has_seen))
        except AssistantError as error:
            with TextScreen() as screen:
                screen.failed(error.code, _in_options(error))
            return ExitCode.WRONG_INPUT
        except KeyboardInterrupt:
            return ExitCode.INTERRUPTED


def _conversation(settings: Settings, body: dict[str, Any], *, screen: Callable[[], Screen]) -> ExitCode:
    with asyncio.Runner() as runner:
        assistant = Assistant(settings, instructions=_instructions(settings))

        def answer(request: dict[str, Any], screen: Screen) -> tuple[ExitCode, Outcome | None]:
            question = parse_question(request, tail_lines_max=settings.log_tail_lines_max)
            return runner.run(_turn(assistant, question, screen))

        try:
            return converse(body, answer, screen=screen)
        finally:
            runner.run(assistant.aclose())


async def _once(settings: Settings, question: Question, screen: Screen) -> ExitCode:
    assistant = Assistant(settings, instructions=_instructions(settings))
    try:
        return (await _turn(assistant, question, screen))[0]
    finally:
        await assistant.aclose()


async def _turn(assistant: Assistant, question: Question, screen: Screen) -> tuple[ExitCode, Outcome | None]:
    """One turn on the screen; its exit code, and its outcome."""
    code, ended = ExitCode.NOT_ANSWERED, None
    async with aclosing(assistant.turn(question)) as events:
        async for event in events:
            match event.value:
                case Report() as report:
                    screen.report(report)
                case TextDelta(text):
                    screen.text(text)
                case ToolCall() as call:
                    screen.tool(call.name)
                case Outcome() as outcome:
                    screen.done(outcome)
                    code, ended = _ended(outcome, screen), outcome
                case _:
                    pass  # the outcome has provider, usage and references
    return code, ended


def _ended(outcome: Outcome, screen: Screen) -> ExitCode:
    report = outcome.report
    if report.nothing_read:
        about = str(report.target) if report.target else "any Application"
        screen.failed("nothing_read", f"Nothing could be read about {about}, so the answer does not describe it.")
        return ExitCode.NOTHING_READ
    if outcome.provider.protocol == "none" and not (report.target or report.findings or outcome.outage):
        screen.failed(
            "no_model",
            "No model is configured, and only a model can answer a general question: set LLAMASTACK_BASE_URL "
            "(llama-stack, OGX) or LIGHTSPEED_URL, or ask about an Application or a resource.",
        )
        return ExitCode.NOT_ANSWERED
    return ExitCode.WITHOUT_MODEL if outcome.outage else ExitCode.ANSWERED


def request_body(asked: AskOptions) -> dict[str, Any]:
    """The body of a request as `/invocations` takes it. Raises RequestError for files and for a resource's spelling."""
    if [*asked.files, *asked.events, *(log.rpartition("=")[2] for log in asked.logs)].count("-") > 1:
        raise RequestError.at("-", "standard input can be read once")
    read = read_manifests(asked.files, asked.events)
    resource = _resource(asked.resource, asked.namespace) if asked.resource else None
    manifests = _target_first(read.resources, resource)
    inputs: dict[str, Any] = {
        "application": asked.application,
        "resource": resource,
        "application_manifest": read.application,
        "manifest": manifests[0] if manifests else None,
        "children": manifests[1:] or None,
        "events": read.events,
        "logs": read_logs(asked.logs, container=asked.container, pods=manifests) if asked.logs else None,
        "session_id": asked.session,
        "log_request": {
            "container": asked.container,
            "tail_lines": asked.tail,
            "previous": asked.previous,
            "since_seconds": asked.since,
        },
    }
    return {
        "input": asked.question,
        "custom_inputs": {key: value for key, value in inputs.items() if value is not None},
    }


def _resource(text: str, namespace: str) -> dict[str, str]:
    kind, slash, name = text.partition("/")
    kind, _, group = kind.partition(".")
    if not (kind and slash and name):
        raise RequestError.at(f"--resource {text}", "must be KIND/NAME or KIND.GROUP/NAME, like Deployment/web")
    if kind[0].islower():
        raise RequestError.at(f"--resource {text}", "write the kind as manifests do, like Deployment/web")
    return {"kind": kind, "group": group, "name": name, "namespace": namespace}


def _target_first(manifests: list[Manifest], resource: dict[str, str] | None) -> list[Manifest]:
    """The manifests, that of the resource first; without a resource they stay in their order."""
    if resource is None or not manifests:
        return manifests

    def is_other(manifest: Manifest) -> bool:
        namespace = text_at(manifest, "metadata", "namespace")
        return (text_at(manifest, "kind"), text_at(manifest, "metadata", "name")) != (
            resource["kind"],
            resource["name"],
        ) or bool(namespace and resource["namespace"] and namespace != resource["namespace"])

    ordered = sorted(manifests, key=is_other)
    if is_other(ordered[0]):
        there = ", ".join(f"{text_at(each, 'kind')}/{text_at(each, 'metadata', 'name')}" for each in manifests[:10])
        raise RequestError.at(
            f"--resource {resource['kind']}/{resource['name']}", f"is not in the files; there are: {there}"
        )
    return ordered


def _in_options(error: AssistantError) -> str:
    """The public message, with options in place of the request's fields."""
    text = error.public_message
    for name, option in _OPTIONS.items():
        text = text.replace(name, option)
    return text.removeprefix("input: ")
