"""What is abnormal in a context and in no finding: it becomes an observation, a finding that quotes it.

`observed` runs after the families. A recent Warning event, a condition of a built-in kind that is not well, or an error
in a log ends in one of three places: a finding quotes it, a finding about the same object
explains it, or it is an observation. A later success ends an event; an event that is over is history (`info`).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from agent.findings.engine.inventory import Inventory, Key, key_of
from agent.findings.engine.own_family import OWN_FAMILY
from agent.findings.model import Finding, Level, Severity
from agent.findings.observations.conditions import bad_conditions
from agent.findings.observations.events import warning_events
from agent.findings.observations.log_errors import log_errors
from agent.findings.observations.observation import Observation
from agent.findings.observations.waiting import waiting_objects
from agent.objects.error_message import parse
from agent.objects.target import ResourceRef

__all__ = ["observed"]

# Events about a node that repeat what a container's status reports, by the word in a finding about the container
# (https://github.com/kubernetes/node-problem-detector/blob/master/config/kernel-monitor.json).
_REPEATS = {"OOMKilling": "OOMKilled", "SystemOOM": "OOMKilled"}
# A shorter clause may be in another text by chance.
_SIGNIFICANT = 20


# A word of some length says what a text is about.
_WORD = re.compile(r"[a-z]{7,}")


def observed(inventory: Inventory, found: list[Finding]) -> list[Finding]:
    """Return the findings, and an observation for everything abnormal that none of them quotes or explains."""
    items = [*warning_events(inventory), *bad_conditions(inventory), *log_errors(inventory)]
    items += waiting_objects(inventory)
    if not items:
        return found
    account = _Account(inventory, found)
    items = [item for item in items if not account.has(item)]
    reported = {
        key_of(item.resource) for item in items if item.resource and not item.follows and item.severity != "info"
    }
    items = [item for item in items if not (item.follows and item.resource and key_of(item.resource) in reported)]
    # What nobody explains may be the cause of what is only a symptom.
    unexplained = {each.severity for each in found if each.level in ("symptom", "summary")}
    explained = any(each.severity == "error" and each.level in ("cause", "effect") for each in found)
    worst: Severity = "error" if "error" in unexplained and not explained else "warning"
    broken = {each.resource.name for each in found if each.level == "symptom" and each.resource}
    result, further = list(found), list[Observation]()
    for item in _one_for_each_kind(_one_for_each_fault(items)):
        if (place := account.place_of(item)) is not None:
            result[place] = replace(result[place], evidence=(*result[place].evidence, *item.evidence))
        elif (place := account.place_of_status(item)) is not None:
            found_there = result[place]
            result[place] = replace(
                found_there,
                explanation=f"{found_there.explanation} {item.title}. {item.explanation}",
                evidence=(*found_there.evidence, *item.evidence),
                next_steps=(*([item.step] if item.step else []), *found_there.next_steps),
            )
        else:
            level = _level(item, broken)
            further.append(
                replace(item, level="effect" if account.has_own_finding(item) and level == "cause" else level)
            )
    return [*result, *(item.finding(worst) for item in further)]


def _level(item: Observation, broken: set[str]) -> Level:
    """A log that names an object with an unexplained symptom reports the cause of it; another does not come before."""
    if not broken or not any(each.source == "log" for each in item.evidence):
        return item.level
    names_it = any(len(name) > _NAME and name in each.text for name in broken for each in item.evidence)
    return "cause" if names_it else "symptom"


# A shorter name may be a word of the line by chance.
_NAME = 4


def _one_for_each_fault(items: Iterable[Observation]) -> Iterator[Observation]:
    seen: set[str] = set()
    for item in items:
        if not item.fault or item.fault not in seen:
            seen.add(item.fault)
            yield item


def _one_for_each_kind(items: Iterable[Observation]) -> Iterator[Observation]:
    """The items, with those of one object and kind as one: the first that is current, with the evidence of all."""
    kinds: dict[tuple[object, str], list[Observation]] = {}
    for place, item in enumerate(items):
        about = key_of(item.resource) if item.resource else None
        kinds.setdefault((about, item.kind) if item.kind else (place, ""), []).append(item)
    for alike in kinds.values():
        first = next((item for item in alike if item.severity != "info"), alike[0])
        further = (evidence for item in alike if item is not first for evidence in item.evidence)
        yield replace(first, evidence=(*first.evidence, *further))


class _Account:
    """What the findings quote and explain."""

    def __init__(self, inventory: Inventory, found: list[Finding]) -> None:
        self._inventory = inventory
        self._quoted = {(e.source, e.path, e.resource) for each in found for e in each.evidence}
        self._texts = {" ".join(e.text.split()) for each in found for e in each.evidence}
        self._own: dict[Key, list[int]] = {}
        for place, each in enumerate(found):
            if each.resource and each.severity != "info":
                self._own.setdefault(key_of(each.resource), []).append(place)
        self._found = found
        self._titles = [each.title for each in found]
        self._about: set[Key] = set()
        for each in found:
            if each.severity != "info" and each.resource:
                self._about |= {key_of(each.resource), *map(key_of, inventory.owners(each.resource))}

    def has(self, item: Observation) -> bool:
        """Whether a finding quotes the item or what its message states, or explains it."""
        if any((e.source, e.path, e.resource) in self._quoted for e in item.evidence):
            return True
        if any(_REPEATS.get(e.path, "\n") in title for e in item.evidence for title in self._titles):
            return True
        clauses = {parse(e.text).statement for e in item.evidence[:1]}
        if any(len(clause) > _SIGNIFICANT and clause in text for clause in clauses for text in self._texts):
            return True
        return item.follows and item.resource is not None and self._is_explained(item.resource)

    def has_own_finding(self, item: Observation) -> bool:
        """Whether there is a finding about the very object."""
        return item.resource is not None and key_of(item.resource) in self._own

    def place_of(self, item: Observation) -> int | None:
        """The place of the finding about the same object that the item is evidence of: they share a word."""
        words = set(_WORD.findall(item.evidence[0].text.lower())) if item.evidence and item.resource else set[str]()
        words -= set(_WORD.findall(item.resource.name.lower())) if item.resource else set()
        for place in self._own.get(key_of(item.resource), ()) if item.resource else ():
            finding = self._found[place]
            if words & set(_WORD.findall(f"{finding.title} {finding.explanation}".lower())):
                return place
        return None

    def place_of_status(self, item: Observation) -> int | None:
        """The place of the finding of a status that a current event about the same object goes into: the controller
        says there what the status only sums up."""
        if item.resource is None or item.severity == "info" or not any(e.source == "event" for e in item.evidence):
            return None
        if (item.resource.group, item.resource.kind) in OWN_FAMILY:
            return None
        places = self._own.get(key_of(item.resource), ())
        return places[0] if len(places) == 1 else None

    def _is_explained(self, resource: ResourceRef) -> bool:
        above = (key_of(resource), *map(key_of, self._inventory.owners(resource)))
        return any(key in self._about for key in above)
