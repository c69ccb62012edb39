"""The vocabularies of statuses: what words in conditions, states, reasons, messages and keys mean.

Words are compared whole and in lower case; camel case, dots, dashes and underscores separate them (`words_of`). They
come from the Kubernetes API conventions, from Argo CD's health checks (argoproj/argo-cd, `resource_customizations`,
and gitops-engine, `pkg/health`) and from the code of controllers; none is the name of a kind.
"""

import re
from collections.abc import Callable
from typing import Literal

from agent.findings.custom.bounded_cache import BoundedCache


def _vocabulary(words: str) -> frozenset[str]:
    return frozenset(words.split())


# In the type of a condition: True is bad (negative polarity).
NEGATIVE = _vocabulary(
    "failed failure failures failing fail error errors errored degraded stalled invalid unhealthy unavailable "
    "unreachable unready unschedulable unsupported pressure terminal recoverable orphan orphaned rejected denied "
    "conflict conflicted conflicts expired violation violations violated broken exceeded incompatible misconfigured "
    "aborted crashed crashing crash deadlocked overlapping lost corrupted timeout outage fault faulted "
    "impaired insufficient unauthorized forbidden blocked stuck disconnected mismatch mismatched exhausted "
    "inconsistent throttled backoff interrupted inaccessible unresponsive unresolved unsynced crashlooping quarantined "
    "offline abnormal irreconcilable dead"
)
# After a negative word these name a feature, not a fault: `FailureInjection`, `DegradedMode`, `ErrorBudget`.
FEATURES = _vocabulary(
    "mode injection budget policy threshold handling handler recovery detection domain tolerance allowed limit page "
    "pages queue rate"
)
# At the end of the type of a condition: False is bad (positive polarity).
POSITIVE = _vocabulary(
    "ready available healthy synced succeeded established accepted programmed reconciled valid validated bound "
    "connected reachable installed resolved applied success synchronized admitted compliant online operational "
    "authenticated verified successful loaded working serving scheduled deployed provisioned initialized registered "
    "launched completed complete configured promoted created updated joined attached published provided issued "
    "reachability refs selected met satisfied fulfilled found insync ok functional usable "
    "enforced propagated balanced converged bootstrapped "
    "mounted replicated passed formed"
)
# ... of which False is a fault even without a reason, unless the object is progressing.
DECISIVE = _vocabulary(
    "ready available healthy synced succeeded established accepted programmed reconciled valid validated bound "
    "connected reachable installed resolved applied success synchronized admitted compliant online operational "
    "enforced ok"
)
# A condition of one such word is about the whole object.
SUMMARY = _vocabulary(
    "ready available healthy succeeded complete completed finished programmed synced reconciled valid accepted"
)

# ... and, True, reports that the object is done.
COMPLETED = _vocabulary("succeeded complete completed finished")

# As the value of a state: failed.
FAILED = _vocabulary(
    "failed failure failing fail error errored err degraded unhealthy rejected red invalid lost noncompliant stalled "
    "fatal broken aborted unreachable unavailable offline faulted fault crashed crashing denied refused forbidden "
    "expired evicted oomkilled timeout timedout critical unrecoverable misconfigured corrupted conflict exceeded "
    "disconnected unsupported unschedulable incompatible unresponsive abandoned dead deadline "
    "unauthorized unauthenticated killed crashloop notready inaccessible storagefull diskfull abnormal diverged "
    "errors failures bad terminal brain ko nok panic panicked exhausted loss rollback rolledback defective impaired "
    "cancelled canceled violated breached unresolvable unstable shunned"
)
# As the value of a state: bad only where another field explains it.
DOUBTFUL = _vocabulary(
    "warning warn inactive missing unknown unconfigured unsynced outofsync notfound yellow unset down"
)
# As the value of a state: ended with success; nested states are history.
DONE = _vocabulary("succeeded success successful complete passed pass promoted merged")
# As the value of a state or a reason: healthy.
HEALTHY = DONE | _vocabulary(
    "completed finished done idle standby "
    "available healthy ok resolved valid expected ready running active green bound online connected established "
    "applied synced deployed created stable operational enabled attached normal up loaded happy provisioned exists "
    "compliant published open progressed verified validated confirmed"
)
SUSPENDED = _vocabulary(
    "paused pausing pause suspended suspending suspend stopped stopping hibernated hibernating disabled sleeping"
)

# Doubtful states that need a reason of a failure to count.
UNEXPLAINED = _vocabulary("inactive unknown missing notfound unset unconfigured")
# The level of a message about a fault. `critical` is not here: it often rates importance.
ERROR_LEVELS = _vocabulary("error errors err fatal")

# As the whole value of any field: failed.
PLAINLY_BROKEN = frozenset(
    form(word)
    for word in _vocabulary(
        "failed failure failing fail error errored unhealthy degraded broken crashed unreachable violated breached"
    )
    for form in (str.lower, str.upper, str.capitalize)
) | {"NotReady", "CrashLoopBackOff"}
# The last word of a key for a choice or a classification, not a state.
CHOICE_KEYS = _vocabulary(
    "policy mode type level severity action strategy filter event class priority category kind name key label value "
    "behavior behaviour on code default tag role cause"
)
# The last word of a key for a state.
STATE_KEYS = _vocabulary(
    "phase state status health result stage verdict robustness outcome conclusion compliant compliance condition"
)
# ... for a text for people.
MESSAGE_KEYS = _vocabulary(
    "message messages reason reasons description msg detail details explanation cause trace text log logs summary info "
    "stderr output note"
)
# In a key: the field is only for faults.
FAULT_KEYS = _vocabulary(
    "error errors err failure failures failed failing violation violations unhealthy rejected rejections problem "
    "problems issues conflicts invalid unready unreachable orphaned orphans fault faults"
)
# The last word of a key for the text of an error.
ERROR_KEYS = (
    _vocabulary("error errors err failure failures problem problems violations conflicts issues fault faults")
    | MESSAGE_KEYS
)
LEVEL_KEYS = _vocabulary("level severity")
# In a key: the field is history.
PAST_KEYS = _vocabulary("history previous old past prior recent measurements attempts runs revisions retries events")
# The last word of a key for a copy of a spec, or for a log.
COPY_KEYS = _vocabulary("spec settings parameters template log logs")
# The last word of a key for a flag: True is a fault.
FAULT_FLAGS = _vocabulary("failed failing degraded unhealthy errored")
# Keys of the value in an object that is a state (`healthStatus: {code: UNHEALTHY}`).
STATE_VALUE_KEYS = _vocabulary("code value name current")
# Keys of the name of a part.
NAME_KEYS = ("name", "id", "component", "branch", "cluster", "clusterName", "namespace", "host", "key", "type")

# Reports a failure in any sentence.
_HARD = (
    r"fail(?:ed|ure|ures|s|ing)?|errors?|errored|err|invalid|denied|forbidden|unauthori[sz]ed|refused?|"
    r"timed ?out|timeout|exceed(?:ed|s)?|unable|could ?n[o']t|could not|not ?found|no such|unreachable|"
    r"rejected|rejection|reject(?:s|ions)?|conflict(?:s|ed|ing)?|crash(?:ed|es|ing|loop)?|non ?compliant|"
    r"mismatch(?:ed)?|violat(?:ed|es|e|ion|ions)|expired|unsupported|stalled|degraded|unhealthy|abort(?:ed)?|"
    r"terminal(?! (?:phase|stage)s?\b)|"
    r"back ?off|unresolved|unschedulable|lost|stopped (?:posting|updating|responding)|differs?|different versions|"
    r"already (?:exists?|claimed)|(?:does not|do not|doesn't|don't) (?:exist|match|hold|have|comply)|"
    r"no key could|no matching|not enough|exhausted|"
    r"no (?:space|capacity)|too (?:many|long|large|small)|dangling|panic|fatal|exception|"
    r"wrong|broken|impossible|illegal|incompatible|orphaned|diverged|exploded|reset by peer|no route to host|"
    r"authentication required|"
    r"unknown (?:field|host|authority|kind)|connection (?:reset|closed)|"
    r"x509|eof|disconnected|killed|evicted|deadline|did(?: not|n't)|insufficient (?!pods|replicas)"
)
# Suggests a failure, but may also describe what is still to come.
_SOFT = (
    r"cannot|can't|won't|absent|(?:below|under) the minimum|(?:above|over) the maximum|"
    r"missing|insufficient|unavailable|"
    r"(?:not|n't) ?(?:permitted|allowed|supported|valid|exist|listed|match|accepted|authori[sz]ed|available|healthy|"
    r"working|registered|configured|comply|installed|met|satisfied|reachable|accepting|responding|"
    r"answering)|encountered (?:some |an? |\d+ )?(?:issue|problem)s?|(?:disabled|unknown) (?:feature|field|option)|"
    r"no (?:pods?|endpoints?|nodes?|clusters?|backends?|hosts?|replicas?|targets?|matching \w+) found|"
    r"out of range|duplicated?|no \w+ (?:is|are|was|were) (?:selected|found|available|up|ready|matched)"
)
_FAILING = re.compile(rf"\b(?:{_HARD})\b", re.IGNORECASE)
_DOUBTING = re.compile(rf"\b(?:{_SOFT})\b", re.IGNORECASE)
# Counts and denials of failures: `no errors`, `0 failed`, `Failed: 0`, `error=none`.
_DENIED = re.compile(
    r"\b(?:no|without|zero|0|not|non|never|nothing|none) "
    r"(?:has |have |any |more |further |are |is |were |of \d+ (?:\w+ )?(?:are |is |were )?)?"
    r"(?:errors?|fail(?:ed|ures?|ing)?|conflicts?|violations?|non ?compliant|unhealthy|degraded|missing|invalid|"
    r"unavailable|stalled)\b|"
    r"\b(?:errors?|failed|failures?|failing|conflicts?|violations?|cancelled|rejected|missing|invalid|unhealthy|"
    r"unavailable) ?[:=] ?\"?(?:0\b|none\b|false\b|null\b|\"\")|"
    r"\bafter \d+ (?:failed|unsuccessful) \w+|\b(?:recovered|resolved) (?:from|after)\b.*|\bpreviously\b.*|"
    r"\bdoes not have minimum availability\b|\bminimum replicas unavailable\b",
    re.IGNORECASE,
)
_COMING = re.compile(
    r"\b(?:progressing|pending|waiting|awaiting|creating|in ?progress|provisioning|reconciling|installing|"
    r"initiali[sz]ing|deploying|issuing|updating|upgrading|scaling|starting|queued|scheduling|deleting|"
    r"terminating|rolling|rollout|being|ongoing|bootstrapping|importing|transfer|migrating|restarting|resizing|joining|"
    r"restoring|syncing|unpacking|not yet|still|deployed not ready|requires approval|in the process)\b",
    re.IGNORECASE,
)
_IDLE = re.compile(
    r"\bnot ?(?:required|used|needed|applicable|enabled|requested|supported by|active)\b|\bno ?(?:traffic|tests|op)\b|"
    r"\b(?:paused|pausing|suspended|disabled|unused|optional|skipped|scale[dr]? (?:down )?to zero|"
    r"not ?(?:invalid|failed|stalled))\b",
    re.IGNORECASE,
)

# Characters of a text that are read.
TEXT_LIMIT = 1_000


def reports_failure(text: str) -> bool:
    """Whether a sentence or a reason reports a failure."""
    return _strength(text) == "hard"


def suggests_failure(text: str) -> bool:
    """Whether it reports a failure, or something missing or not possible."""
    return _strength(text) != "none"


def spaced(text: str) -> str:
    """The text with camel case, dots, dashes and underscores replaced by spaces."""
    return _APART.sub(" ", _CAMEL.sub(" ", text))


_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_APART = re.compile(r"[^A-Za-z0-9':=()\"]+")

# Characters of an identifier that are read; cache keys are no longer.
IDENTIFIER_LIMIT = 200


def _words(text: str) -> tuple[str, ...]:
    return tuple(spaced(text).lower().split())


words_of: Callable[[str], tuple[str, ...]] = BoundedCache(_words, length=IDENTIFIER_LIMIT, other=()).__getitem__
"""The words of an identifier in lower case: `ACK.ResourceSynced` as ack, resource, synced."""


def _is_progressing(text: str) -> bool:
    return _COMING.search(spaced(text)) is not None


def _is_inactive(text: str) -> bool:
    return _IDLE.search(spaced(text)) is not None


is_progressing: Callable[[str], bool] = BoundedCache(_is_progressing, length=TEXT_LIMIT, other=False).__getitem__
"""Whether a reason or a sentence reports an operation under way."""

is_inactive: Callable[[str], bool] = BoundedCache(_is_inactive, length=TEXT_LIMIT, other=False).__getitem__
"""Whether a reason or a sentence reports something paused, disabled or not required."""

type _Strength = Literal["hard", "soft", "none"]


def _strength_of(text: str) -> _Strength:
    clear = _DENIED.sub(" ", spaced(text))
    if _FAILING.search(clear):
        return "hard"
    return "soft" if _DOUBTING.search(clear) else "none"


_strength: Callable[[str], _Strength] = BoundedCache[_Strength](
    _strength_of, length=TEXT_LIMIT, other="none"
).__getitem__
