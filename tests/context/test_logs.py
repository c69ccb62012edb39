"""Logs as they are saved, streamed and refused, and the lines that come of them."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.context.log_text import MAX_LINE, printable, refusal
from agent.context.logs import ParsedLog, parse_entries, parse_text
from agent.request.question import LogEntry


def read(text: str, *, tail_lines: int = 250) -> ParsedLog:
    return parse_text(text, container="api", pod="web-1", tail_lines=tail_lines)


def lines(parsed: ParsedLog) -> list[str]:
    return [line.text for log in parsed.logs for line in log.lines]


def entry(content: str, *, timestamp: str = "2026-11-21T08:00:00Z", pod: str = "", last: bool = False) -> LogEntry:
    return LogEntry(content=content, timeStampStr=timestamp, podName=pod, last=last)


def test_the_last_lines_are_kept_and_the_others_counted():
    (log,) = read("one\ntwo\nthree\nfour\n", tail_lines=2).logs
    assert ([line.text for line in log.lines], log.left_out) == (["three", "four"], 2)


def test_nothing_is_left_out_of_a_log_that_is_short_enough():
    (log,) = read("one\n\ntwo", tail_lines=3).logs
    assert ([line.text for line in log.lines], log.left_out) == (["one", "", "two"], 0)


def test_an_empty_log_is_a_log_without_lines():
    (log,) = read("").logs
    assert (log.container, log.pod, log.lines) == ("api", "web-1", ())


def test_times_in_front_of_lines_are_taken_apart():
    (log,) = read("2026-11-21T08:00:00.123456789Z listening on :8080\n").logs
    assert log.lines[0].timestamp == "2026-11-21T08:00:00.123456789Z"
    assert log.lines[0].text == "listening on :8080"


def test_colours_titles_and_control_characters_are_gone():
    text = "\x1b[31;1mERROR\x1b[0m \x1b]0;title\x07disk\x00 full\r\n\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\ttab\r\n"
    assert lines(read(text)) == ["ERROR disk full", "link\ttab"]


def test_text_that_reads_in_another_order_than_it_is_written_is_straightened():
    assert printable("admin\u202e\u2066 // user\u2069\ud800") == "admin // user\ufffd"


def test_a_progress_bar_stays_one_line():
    assert lines(read("10%\r50%\r100%\r\ndone")) == ["10% 50% 100%", "done"]


def test_a_very_long_line_is_cut_and_says_so():
    (text,) = lines(read("x" * 1_000_000))
    assert text == "x" * MAX_LINE + f" […{1_000_000 - MAX_LINE} characters cut]"


def test_a_coloured_line_is_measured_without_its_colours():
    coloured = "\x1b[32m.\x1b[0m" * 1500
    assert lines(read(coloured)) == ["." * 1500]


def test_entries_become_lines_and_the_closing_one_does_not():
    parsed = parse_entries([entry("one"), entry("two"), entry("", last=True)], container="api", tail_lines=10)
    assert lines(parsed) == ["one", "two"]
    assert parsed.logs[0].lines[0].timestamp == "2026-11-21T08:00:00Z"


def test_entries_of_several_pods_are_kept_apart():
    entries = [entry("old", pod="web-1"), entry("a", pod="web-1"), entry("b", pod="web-2")]
    logs = parse_entries(entries, container="api", tail_lines=2).logs
    assert [(log.pod, [line.text for line in log.lines], log.left_out) for log in logs] == [
        ("web-1", ["a"], 1),
        ("web-2", ["b"], 0),
    ]


def test_an_entry_at_the_zero_time_is_a_message_and_no_line():
    refused = entry(
        'container "api" in pod "web-1" is waiting to start: PodInitializing', timestamp="0001-01-01T00:00:00Z"
    )
    parsed = parse_entries([refused, refused], container="api", tail_lines=10)
    assert parsed.logs == ()
    (said,) = parsed.refusals
    assert (said.code, "PodInitializing" in said.public_message) == ("waiting", True)


def test_an_unknown_message_at_the_zero_time_is_told_as_it_is():
    parsed = parse_entries([entry("kubelet is away", timestamp="0001-01-01T00:00:00Z")], container="api", tail_lines=10)
    assert (parsed.refusals[0].code, parsed.refusals[0].public_message) == (
        "unavailable",
        "Kubernetes gave no log: kubelet is away",
    )


def test_a_refusal_among_lines_is_told_beside_them():
    refused = entry("unable to retrieve container logs for containerd://4", timestamp="0001-01-01T00:00:00Z")
    parsed = parse_entries([entry("one"), refused], container="api", tail_lines=10)
    assert (lines(parsed), parsed.refusals[0].code) == (["one"], "unavailable")


@pytest.mark.parametrize("prefix", ["", "data: "])
def test_a_saved_stream_of_argo_cd_is_recognised(prefix: str):
    messages = [{"result": {"content": f"line {n}", "timeStampStr": "2026-11-21T08:00:00Z"}} for n in range(5)]
    closing = {"result": {"content": "", "last": True, "timeStampStr": "0001-01-01T00:00:00Z"}}
    text = "\n".join(prefix + json.dumps(message) for message in [*messages, closing])
    assert lines(read(text)) == [f"line {n}" for n in range(5)]
    (log,) = read(text, tail_lines=2).logs
    assert ([line.text for line in log.lines], log.left_out) == (["line 3", "line 4"], 3)


def test_a_program_that_logs_json_is_not_taken_for_argo_cd():
    text = '{"result":"ok","status":200}\n{"result":"failed","status":500}\n'
    assert lines(read(text)) == text.splitlines()


@pytest.mark.parametrize("before", ["", '{"result":{"content":"one","timeStampStr":"2026-11-21T08:00:00Z"}}\n'])
def test_a_stream_nested_without_end_is_text(before: str):
    nested = '{"result":' + "[" * 100_000
    assert lines(read(before + nested))[-1].startswith('{"result":[[[')


def test_an_error_in_a_saved_stream_is_told():
    text = '{"result":{"content":"one"}}\n{"error":{"message":"stream broke","http_code":500}}\n'
    parsed = read(text)
    assert (lines(parsed), parsed.refusals[0].public_message) == (["one"], "Kubernetes gave no log: stream broke")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('container "api" in pod "web-1" is waiting to start: ContainerCreating', "waiting"),
        ('container "api" in pod "web-1" is waiting to start: trying and failing to pull image', "waiting"),
        ('container "api" in pod "web-1" is waiting to start - no logs yet', "waiting"),
        ("pod web-1 does not have a host assigned", "waiting"),
        ('previous terminated container "api" in pod "web-1" not found', "not_found"),
        ("container apo is not valid for pod web-1", "not_found"),
        ("a container name must be specified for pod web-1, choose one of: [api proxy]", "invalid"),
        ("unable to retrieve container logs for containerd://5f3a", "unavailable"),
        (
            'Error from server (BadRequest): container "api" in pod "web-1" is waiting to start: PodInitializing\n',
            "waiting",
        ),
    ],
)
def test_what_kubernetes_says_in_place_of_a_log_is_no_log(text: str, code: str):
    parsed = read(text)
    assert parsed.logs == ()
    assert [said.code for said in parsed.refusals] == [code]


@pytest.mark.parametrize(
    "text",
    [
        "listening on :8080",
        'level=warn msg="container api in pod web-1 is waiting to start"',
        'container "api" in pod "web-1" is waiting to start: PodInitializing\nsecond line',
    ],
)
def test_a_log_that_speaks_of_waiting_is_a_log(text: str):
    assert refusal(text) is None
    assert lines(read(text)) == text.splitlines()


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=400), st.integers(1, 5))
def test_any_text_becomes_printable_lines_none_of_them_lost(text: str, tail_lines: int):
    for log in read(text, tail_lines=tail_lines).logs:
        assert len(log.lines) <= tail_lines
        assert len(log.lines) + log.left_out == (text.rstrip("\r\n").count("\n") + 1 if text.rstrip("\r\n") else 0)
        for line in log.lines:
            assert not any(character < " " and character != "\t" for character in line.text)
            line.text.encode()


def test_ten_megabytes_cost_only_their_tail(monkeypatch: pytest.MonkeyPatch):
    cleaned: list[str] = []

    def counted(text: str) -> str:
        cleaned.append(text)
        return text

    monkeypatch.setattr("agent.context.log_lines.printable", counted)
    (log,) = read("a line of a log that goes on and on\n" * 280_000, tail_lines=250).logs
    assert (len(log.lines), log.left_out, len(cleaned)) == (250, 279_750, 250)
