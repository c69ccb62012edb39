"""A sink as a contributor adds one: it keeps every turn that has ended."""

from collections import Counter
from dataclasses import dataclass, field

from agent.providers.events import TextDelta
from agent.redaction import Redacted
from agent.request.question import Question
from agent.turn.events import Report, SinkEvent, TurnEnded
from agent.turn.sinks import Sink


@dataclass
class Run:
    """One turn as it is kept."""

    question: str = ""
    findings: tuple[str, ...] = ()
    answer: str = ""
    failed: bool = False


@dataclass
class RunStore:
    """The runs, in memory."""

    runs: list[Run] = field(default_factory=list[Run])

    def open(self, _: Question) -> Sink:
        return _Recorder(self)


class _Recorder:
    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._run = Run()

    def take(self, event: Redacted[SinkEvent]) -> None:
        match event.value:
            case Report() as report:
                self._run.question = report.question
                self._run.findings = tuple(finding.title for finding in report.findings)
            case TurnEnded() as ended:
                self._run.answer = "".join(each.text for each in ended.answered if isinstance(each, TextDelta))
                self._run.failed = ended.error is not None
                self._store.runs.append(self._run)
            case _:
                pass


class EventCounter:
    """Counts the events of all turns by their type: the seed of a metric."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def open(self, _: Question) -> Sink:
        return self

    def take(self, event: Redacted[SinkEvent]) -> None:
        self.counts[type(event.value).__name__] += 1
