"""What a ResourceQuota, a LimitRange or Pod Security refuses in an object: the numbers, and what to change.

Owns the wording of these admission plugins (Kubernetes' k8s.io/apiserver/pkg/admission/plugin/resourcequota,
plugin/pkg/admission/limitranger and k8s.io/pod-security-admission).
"""

import re
from dataclasses import dataclass

_EXCEEDED = re.compile(
    r"exceeded quota: ([^\s,]{1,253}), requested: ([^\n]{1,600}?), used: ([^\n]{1,600}?), limited: ([^\n\"']{1,600})"
)
_MUST_SPECIFY = re.compile(r"failed quota: ([^\s:]{1,253}): must specify ([^\n;]{1,300})")
_PAIR = re.compile(r"([\w./-]{1,120})=([\w.+-]{1,40})")
_RANGE = re.compile(
    r"(maximum|minimum) ([\w./-]{1,60}) usage per (\w{1,40}) is ([\w.]{1,40}), but (limit|request|no \w{1,20})"
    r"(?: is ([\w.]{1,40})| is specified)?"
)
_RATIO = re.compile(
    r"([\w./-]{1,60}) max limit to request ratio per (\w{1,40}) is ([\w.]{1,40}), but provided ratio is ([\w.]{1,40})"
)
_POD_SECURITY = re.compile(r'violates PodSecurity "([\w-]{1,40}):[^"]{0,40}": ([^\n]{1,1000})')
_MUST_SET = re.compile(r"must (?:not )?(?:set|include) (?:securityContext\.)?([\w.]{1,80}=?[^\s,)]{0,60})")


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionLimit:
    """A limit that the object exceeds: `name` completes "refused: ...", `change` is what to change in a few words."""

    name: str
    change: str = ""


def limit_in(message: str) -> AdmissionLimit | None:
    """The quota, range or level that a refusal names, with its numbers; None where it names none."""
    for parse in (_quota, _unspecified, _range, _ratio, _pod_security):
        if limit := parse(message):
            return limit
    return None


def _quota(message: str) -> AdmissionLimit | None:
    match = _EXCEEDED.search(message)
    if match is None:
        return None
    requested, used, limited = (dict(_PAIR.findall(match[part])) for part in (2, 3, 4))
    numbers = "; ".join(
        f"{name}: requested {amount}, used {used.get(name, '?')} of {limited.get(name, '?')}"
        for name, amount in list(requested.items())[:4]
    )
    return AdmissionLimit(name=f"ResourceQuota {match[1]} is used up" + (f" ({numbers})" if numbers else ""))


def _unspecified(message: str) -> AdmissionLimit | None:
    match = _MUST_SPECIFY.search(message)
    if match is None:
        return None
    wanted = match[2].partition(" for")[0].strip().rstrip(".")[:120]
    return AdmissionLimit(
        name=f"ResourceQuota {match[1]} requires {wanted}",
        change=f"set {wanted} in resources of every container",
    )


def _range(message: str) -> AdmissionLimit | None:
    match = _RANGE.search(message)
    if match is None:
        return None
    bound, resource, per, allowed, what, asked = match.groups()
    actual = f"{what} is {asked}" if asked else f"{what} is set"
    return AdmissionLimit(
        name=f"a LimitRange forbids it ({bound} {resource} per {per} is {allowed}, the {actual})",
        change=f"keep {resource} {'at or below' if bound == 'maximum' else 'at or above'} {allowed}",
    )


def _ratio(message: str) -> AdmissionLimit | None:
    match = _RATIO.search(message)
    if match is None:
        return None
    resource, per, allowed, provided = match.groups()
    return AdmissionLimit(
        name=f"a LimitRange forbids it (limit to request ratio of {resource} per {per} is at most {allowed}, "
        f"provided {provided})",
        change=f"raise the {resource} request or lower its limit, to a ratio of at most {allowed}",
    )


def _pod_security(message: str) -> AdmissionLimit | None:
    match = _POD_SECURITY.search(message)
    if match is None:
        return None
    broken = [part.partition(" (")[0].strip(" ,") for part in re.split(r"(?<=\)), ", match[2])]
    fields = list(dict.fromkeys(_MUST_SET.findall(match[2])))
    listed = ", ".join(part for part in broken if part)[:160]
    return AdmissionLimit(
        name=f"Pod Security level {match[1]} of the namespace forbids it ({listed})",
        change=f"in securityContext of the pod template set {', '.join(fields)[:300]}" if fields else "",
    )
