"""`ask` end to end: from files, Argo CD or the cluster to standard output, standard error and an exit code."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Generator
from typing import Any

import pytest

from tests.cli.conftest import Run, Write, read_all
from tests.context.manifests import POD, event
from tests.fakes.argocd import FakeArgoCD
from tests.fakes.kubernetes import FakeKubernetes
from tests.fakes.lightspeed import FakeLightspeed, Reply, WireEvent, tokens
from tests.fakes.server import PATIENCE, closed_port

COMMAND = [sys.executable, "-m", "agent.cli", "ask"]


# --- answers ----------------------------------------------------------------------------------------------------


def test_a_file_is_explained_without_any_server(run: Run, broken_pod: str) -> None:
    result = run("ask", "-f", broken_pod, "Why does it restart?")

    assert result.exit_code == 0
    assert "OOMKilled" in result.stdout
    assert "No model was asked" in result.stdout
    assert "finding (error): Container api is OOMKilled" in result.stderr
    assert "provider: offline" in result.stderr


def test_a_general_question_without_a_model_is_not_answered_and_says_what_to_set(run: Run) -> None:
    result = run("ask", "What is a PodDisruptionBudget?")

    assert result.exit_code == 1
    assert "error: No model is configured, and only a model can answer a general question" in result.stderr
    assert json.loads(run("ask", "--json", "What is a PDB?").stdout)["error"]["code"] == "no_model"


def test_a_kubeconfig_that_is_missing_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_KUBERNETES", "auto")
    monkeypatch.setenv("KUBECONFIG", "/nowhere/config")

    result = run("ask", "--resource", "Pod/web-0", "-n", "shop", "Why?")

    assert result.exit_code == 4
    assert "KUBECONFIG names /nowhere/config, and there is no such file: correct it, or unset it" in result.stderr


def test_manifests_may_come_from_standard_input(run: Run) -> None:
    result = run("ask", "-f", "-", "Why?", stdin=json.dumps(POD))

    assert result.exit_code == 0
    assert "OOMKilled" in result.stdout


def test_everything_given_reaches_the_model(run: Run, model: FakeLightspeed, broken_pod: str, write: Write) -> None:
    events = write("events.yaml", event(POD, "BackOff", "restarting failed container"))
    logs = write("api.log", "first words\nlast words\n")

    result = run("ask", "-f", broken_pod, "--events", events, "--logs", f"api={logs}", "--tail", "1", "Why?")

    assert result.exit_code == 0
    assert result.stdout.startswith("All is well.\n")
    sent = "\n".join(attachment["content"] for attachment in model.bodies[0]["attachments"])
    assert model.bodies[0]["query"] == "Why?"
    assert "restarting failed container" in sent
    assert "last words" in sent
    assert "first words" not in sent


def test_argo_cd_is_read_for_an_application_and_its_resource(run: Run, argocd_server: FakeArgoCD) -> None:
    result = run("ask", "--app", "argocd/shop", "--resource", "Pod/web-5d9-x1", "-n", "shop", "Why?")

    assert result.exit_code == 0
    assert "OOMKilled" in result.stdout
    assert "/api/v1/applications/shop/resource" in argocd_server.paths()


def test_the_cluster_is_read_for_a_resource(run: Run, cluster: FakeKubernetes) -> None:
    result = run("ask", "--resource", "Pod/web-5d9-x1", "-n", "shop", "Why?")

    assert result.exit_code == 0
    assert "OOMKilled" in result.stdout
    assert "/api/v1/namespaces/shop/pods/web-5d9-x1" in cluster.paths()


def test_what_cannot_be_read_is_told_in_a_line_and_the_rest_is_answered(run: Run, write: Write) -> None:
    well = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}, "spec": {}}

    result = run("ask", "-f", write("web.yaml", well), "Why?")

    assert result.exit_code == 0
    [told] = [line for line in result.stderr.splitlines() if line.startswith("not read: ")]
    assert told == (
        "not read: children, events, logs: nothing is set up to read from "
        "(ARGOCD_SERVER and ARGOCD_AUTH_TOKEN, or KUBECONFIG)"
    )


def test_a_session_is_told_and_continued(run: Run, model: FakeLightspeed) -> None:
    first = run("ask", "Why?")
    session = first.stderr.partition("session: ")[2].strip()

    second = run("ask", "--session", session, "And now?")

    assert second.exit_code == 0
    assert [model.bodies[1]["conversation_id"]] == list(model.conversations)


def test_provider_tools_references_and_tokens_are_told(run: Run, model: FakeLightspeed) -> None:
    call: WireEvent = ("tool_call", {"name": "pods_log", "args": {}, "id": "1"})
    documents = [{"doc_title": "Memory", "doc_url": "https://docs.example.com/memory"}]
    model.say(Reply(events=[call, *tokens("Yes.")], end={"referenced_documents": documents}))

    told = run("ask", "Why?").stderr

    assert "provider: lightspeed (streaming-query), 120 + 7 tokens" in told
    assert "tools: pods_log" in told
    assert "see: Memory https://docs.example.com/memory" in told


# --- one JSON object --------------------------------------------------------------------------------------------


def test_json_is_one_object_with_what_an_invocation_answers(run: Run, model: FakeLightspeed, broken_pod: str) -> None:
    model.say(Reply(events=tokens("It was OOMKilled.")))

    result = run("ask", "--json", "-f", broken_pod, "Why?")

    told = json.loads(result.stdout)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert told["answer"] == "It was OOMKilled."
    assert told["error"] is None
    assert told["usage"] == {"input_tokens": 120, "output_tokens": 7}
    assert told["custom_outputs"]["findings"][0]["severity"] == "error"
    assert told["custom_outputs"]["provider"]["name"] == "lightspeed"
    assert told["custom_outputs"]["session_id"]


def test_json_tells_a_failure_with_what_was_said_before_it(run: Run, model: FakeLightspeed, broken_pod: str) -> None:
    model.say(Reply(events=tokens("It is "), ending="silence"))

    result = run("ask", "--json", "-f", broken_pod, "Why?")

    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert told["answer"] == "It is "
    assert told["error"]["code"] == "response_cut"
    assert told["custom_outputs"]["findings"]


def test_json_tells_wrong_input_too(run: Run) -> None:
    result = run("ask", "--json", "--app", "a/b/c", "Why?")

    assert result.exit_code == 2
    assert json.loads(result.stdout) == {
        "answer": None,
        "custom_outputs": None,
        "usage": None,
        "references": [],
        "error": {
            "code": "invalid_request",
            "message": '--app: must be "namespace/name", "name" or an object with name, namespace and project',
        },
    }


# --- exit codes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(status=500, body={"detail": {"response": "Out of order"}}), "error: Lightspeed failed (HTTP 500): Out"),
        (Reply(status=429), "error: Lightspeed answers no more for now"),
        (Reply(events=tokens("It "), ending="break"), "error: The connection to Lightspeed broke"),
    ],
)
def test_a_model_that_fails_is_1(run: Run, model: FakeLightspeed, reply: Reply, said: str) -> None:
    model.say(reply)

    result = run("ask", "Why?")

    assert result.exit_code == 1
    assert said in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--app", "a/b/c", "Why?"], "error: --app: must be"),
        (["--app", "a b", "Why?"], "error: --app: must be one name"),
        (["--resource", "Pod", "Why?"], "error: --resource Pod: must be KIND/NAME"),
        (["--resource", "Pod/a", "-n", "x/y", "Why?"], "error: --namespace: must be one name"),
        (["--tail", "0", "Why?"], "error: --tail: must be a whole number from 1 to 250"),
        (["--tail", "251", "Why?"], "error: --tail: must be a whole number from 1 to 250"),
        (["--since", "-1", "Why?"], "error: --since: must be a whole number from 1"),
        (["--session", "a b", "Why?"], "error: --session: must be the session_id of an earlier answer"),
        (["-f", "no/such.yaml", "Why?"], "error: -f no/such.yaml: cannot be read: No such file"),
        ([" "], "error: the question is empty"),
        (["--tail", "ten", "Why?"], "Invalid value for '--tail'"),
        (["--nope", "Why?"], "No such option: --nope"),
        ([], "what to ask is missing; -i asks for it"),
    ],
)
def test_wrong_input_is_2_and_names_the_option(run: Run, arguments: list[str], said: str) -> None:
    result = run("ask", *arguments)

    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_a_log_of_no_container_is_2_and_names_those_there_are(run: Run, broken_pod: str, write: Write) -> None:
    result = run("ask", "-f", broken_pod, "--logs", f"nope={write('app.log', 'one')}", "Why?")

    assert result.exit_code == 2
    assert "there is no container 'nope' in the manifests; there are: api" in result.stderr


def test_a_wrong_setting_is_2(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_CONTEXT_TOKENS", "many")

    result = run("ask", "Why?")

    assert result.exit_code == 2
    assert "ASSISTANT_CONTEXT_TOKENS: must be a whole number" in result.stderr


def test_lightspeed_without_a_token_is_2_says_what_to_set_and_tells_the_findings(
    run: Run, model: FakeLightspeed, monkeypatch: pytest.MonkeyPatch, broken_pod: str
) -> None:
    monkeypatch.delenv("LIGHTSPEED_TOKEN")

    result = run("ask", "-f", broken_pod, "Why?")
    told = json.loads(run("ask", "--json", "-f", broken_pod, "Why?").stdout)

    assert result.exit_code == 2
    assert "finding (error): Container api is OOMKilled" in result.stderr
    assert "error: LIGHTSPEED_TOKEN: is not set" in result.stderr
    assert told["error"]["code"] == "invalid_settings"
    assert told["custom_outputs"]["findings"][0]["severity"] == "error"
    assert model.bodies == []


def test_a_session_that_cannot_be_continued_is_2(run: Run, model: FakeLightspeed) -> None:
    result = run("ask", "--session", "unknown", "Why?")

    assert result.exit_code == 2
    assert "error: --session: there is no such session" in result.stderr


def test_a_model_out_of_reach_is_3_and_the_findings_are_answered(
    run: Run, model: FakeLightspeed, monkeypatch: pytest.MonkeyPatch, broken_pod: str
) -> None:
    monkeypatch.setenv("LIGHTSPEED_URL", f"http://127.0.0.1:{closed_port()}")

    result = run("ask", "-f", broken_pod, "Why?")

    assert result.exit_code == 3
    assert "OOMKilled" in result.stdout
    assert "Lightspeed cannot be reached" in result.stderr


def test_a_target_of_which_nothing_could_be_read_is_4(run: Run) -> None:
    result = run("ask", "--app", "argocd/shop", "Why?")
    told = json.loads(run("ask", "--json", "--app", "argocd/shop", "Why?").stdout)

    assert result.exit_code == 4
    assert "Nothing is known of Application argocd/shop" in result.stdout
    assert "error: Nothing could be read about Application argocd/shop" in result.stderr
    assert told["error"]["code"] == "nothing_read"
    assert told["answer"]
    assert {gap["reason"] for gap in told["custom_outputs"]["context"]["gaps"]} == {"not_configured"}


def test_a_name_that_the_cluster_does_not_have_is_4(run: Run, cluster: FakeKubernetes) -> None:
    result = run("ask", "--resource", "Pod/nope", "-n", "shop", "Why?")

    assert cluster.paths()
    assert result.exit_code == 4


def test_an_argo_cd_out_of_reach_is_4_also_where_a_model_answers(
    run: Run, model: FakeLightspeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARGOCD_SERVER", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.setenv("ARGOCD_AUTH_TOKEN", "token")

    result = run("ask", "--app", "argocd/shop", "Why?")

    assert result.exit_code == 4
    assert result.stdout == "All is well.\n"


def test_a_question_about_nothing_in_particular_is_answered(run: Run, model: FakeLightspeed) -> None:
    assert run("ask", "What does OutOfSync mean?").exit_code == 0


@pytest.fixture
def interruptible() -> Generator[None]:
    """Processes that a test starts can be interrupted, also where a shell started pytest in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_interrupted_is_130_and_the_upstream_request_ends(model: FakeLightspeed) -> None:
    model.say(Reply(events=tokens("It is "), ending="hold"))
    with subprocess.Popen([*COMMAND, "Why?"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.read(6) == b"It is "
        process.send_signal(signal.SIGINT)
        rest, told = process.communicate(timeout=PATIENCE)

    assert process.returncode == 130
    assert rest == b"\n"
    assert told == b"error: Interrupted.\n"
    assert model.client_gone.wait(PATIENCE)


def test_a_reader_that_goes_away_ends_it_quietly(model: FakeLightspeed) -> None:
    words = (" ".join(str(n * 7919 + m) for m in range(100)) for n in range(400))
    model.say(Reply(events=tokens(*words)))
    with subprocess.Popen([*COMMAND, "Why?"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.read(5)
        process.stdout.close()
        told = process.stderr.read()
        process.wait(PATIENCE)

    assert process.returncode == 130
    assert told == b""


# --- the screen -------------------------------------------------------------------------------------------------

HOSTILE = "\x1b]0;owned\x07\x1b[31mred\x1b[0m \x9b31m \x08\x00é\ttab\r\n"


def test_piped_output_has_no_control_characters(run: Run, model: FakeLightspeed, write: Write) -> None:
    model.say(Reply(events=tokens("**bold** ", HOSTILE, "end")))
    pod: dict[str, Any] = {"kind": "Pod", "metadata": {"name": "\x1b[31mweb"}}

    result = run("ask", "-f", write("pod.json", pod), "--resource", "Pod/web", "Why?")
    shown = run("ask", "-f", write("pod.json", {**pod, "metadata": {"name": "web"}}), "Why?")

    for text in (result.stdout, result.stderr, shown.stdout, shown.stderr):
        assert not set(text) & {*map(chr, range(9)), *map(chr, range(11, 32)), *map(chr, range(127, 160))}


def test_json_escapes_control_characters(run: Run, model: FakeLightspeed) -> None:
    model.say(Reply(events=tokens(HOSTILE)))

    shown = run("ask", "--json", "Why?").stdout

    assert not set(shown) & {*map(chr, range(9)), *map(chr, range(11, 32)), *map(chr, range(127, 160))}
    assert json.loads(shown)["answer"] == HOSTILE


def test_the_answer_arrives_as_it_is_said(run: Run, model: FakeLightspeed) -> None:
    model.say(Reply(events=tokens("**bold** ", HOSTILE, "- end")))

    assert run("ask", "Why?").stdout == "**bold** ]0;owned[31mred[0m 31m é\ttab\n- end\n"


def test_on_a_terminal_the_answer_is_rendered(model: FakeLightspeed) -> None:
    long = [f"- point {n}\n" for n in range(100)]
    model.say(
        Reply(events=tokens("# Cause\n\nIt was **memory** ", "`limit`, [here](https://docs.example.com).\n\n", *long))
    )
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    with subprocess.Popen([*COMMAND, "Why?"], stdout=theirs, stderr=subprocess.PIPE, env=environment) as process:
        os.close(theirs)
        shown = read_all(ours)
        assert process.stderr
        told = process.stderr.read().decode()

    assert process.returncode == 0
    assert "**memory**" not in shown
    assert "\x1b[1mmemory" in shown
    assert "https://docs.example.com" in shown
    # The end of a long answer is what stays on the screen, and no point is missing.
    assert all(f"point {n}" in shown for n in range(100))
    assert shown.rstrip().endswith("point 99")
    assert "provider: lightspeed" in told
    assert "\x1b" not in told


def on_a_terminal(*arguments: str) -> str:
    """What somebody sees who asks on a terminal: standard output and standard error are the same."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "50"}
    with subprocess.Popen([*COMMAND, *arguments], stdout=theirs, stderr=theirs, env=environment):
        os.close(theirs)
        shown = read_all(ours)
    return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", shown)


def test_on_a_terminal_findings_and_gaps_are_told_once(broken_pod: str) -> None:
    shown = on_a_terminal("-f", broken_pod, "Why?")

    assert "Most likely cause" in shown
    assert "What could not be read" in shown
    assert "finding (error)" not in shown
    assert "not read:" not in shown


def test_on_a_terminal_gaps_are_told_where_a_model_answers_and_findings_where_it_fails(
    model: FakeLightspeed, broken_pod: str
) -> None:
    model.say(Reply(events=tokens("It was OOMKilled.")))
    answered = on_a_terminal("-f", broken_pod, "Why?")
    model.say(Reply(status=401))
    failed = on_a_terminal("-f", broken_pod, "Why?")

    assert "not read: events, logs" in answered
    assert "finding (error)" not in answered
    assert "Most likely cause" not in answered
    assert "Most likely cause: Container api is OOMKilled" in failed
    assert "not read: events, logs" in failed


def test_an_answer_that_is_not_about_the_findings_comes_with_them(
    run: Run, model: FakeLightspeed, broken_pod: str
) -> None:
    model.say(Reply(events=tokens("Great example of how to get started with Kubernetes.")))

    result = run("ask", "-f", broken_pod, "Why?")

    assert result.exit_code == 0
    answer, _, note = result.stdout.partition("> **The model's answer names nothing of what was found.**")
    assert answer.strip() == "Great example of how to get started with Kubernetes."
    assert "Most likely cause: Container api is OOMKilled" in note
    assert "check: the answer names nothing of what was found" in result.stderr


def test_where_the_answer_is_shown_as_a_whole_the_findings_come_first(model: FakeLightspeed, broken_pod: str) -> None:
    model.say(Reply(events=tokens("You should change the Pod to a new one.")))

    shown = on_a_terminal("-f", broken_pod, "Why?")

    assert shown.rindex("Container api is OOMKilled") < shown.rindex("The model's answer:")


def test_json_has_the_findings_above_an_answer_that_is_not_about_them(
    run: Run, model: FakeLightspeed, broken_pod: str
) -> None:
    model.say(Reply(events=tokens("You should change the Pod to a new one.")))

    told = json.loads(run("ask", "--json", "-f", broken_pod, "Why?").stdout)

    assert told["answer"].startswith("> **The model's answer names nothing of what was found.**")
    assert told["answer"].endswith("You should change the Pod to a new one.\n")
    assert told["custom_outputs"]["grounding"]["status"] == "off_topic"
    assert told["custom_outputs"]["grounding"]["addresses_findings"] is False


def test_what_an_answer_claims_without_support_is_listed(run: Run, model: FakeLightspeed, broken_pod: str) -> None:
    model.say(Reply(events=tokens("It was `OOMKilled`, with exit code 139 and `disk quota exceeded`.")))

    result = run("ask", "-f", broken_pod, "Why?")

    assert "not in what was read: quotation disk quota exceeded; number 139\n" in result.stderr


def test_an_answer_without_anything_to_look_up_says_so(run: Run, model: FakeLightspeed, broken_pod: str) -> None:
    model.say(Reply(events=tokens("It ran out of memory.")))

    result = run("ask", "-f", broken_pod, "Why?")

    assert "check: the answer contains nothing that could be looked up" in result.stderr


def test_what_breaks_off_after_the_first_token_is_followed_by_the_findings(
    run: Run, model: FakeLightspeed, broken_pod: str
) -> None:
    model.say(Reply(events=tokens("It is "), ending="silence"))

    result = run("ask", "-f", broken_pod, "Why?")

    assert result.exit_code == 1
    said, _, found = result.stdout.partition("> **There is no whole answer of the model.**")
    assert said.strip() == "It is"
    assert "Most likely cause: Container api is OOMKilled" in found


@pytest.mark.usefixtures("interruptible")
def test_the_findings_stay_on_the_screen_when_the_answer_is_interrupted(model: FakeLightspeed, broken_pod: str) -> None:
    model.say(Reply(events=tokens("It is "), ending="hold"))
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    command = [*COMMAND, "-f", broken_pod, "Why?"]
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        before = b""
        while b"It is" not in before:
            before += os.read(ours, 4096)
        process.send_signal(signal.SIGINT)
        shown = read_all(ours)

    assert process.returncode == 130
    assert "Container api is OOMKilled" in shown
    assert "Interrupted." in shown
