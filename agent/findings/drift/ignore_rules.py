"""The `ignoreDifferences` entry by which Argo CD ignores a difference.

Its form: https://argo-cd.readthedocs.io/en/stable/user-guide/diffing/
"""

import json

from agent.findings.drift.managers import is_controller
from agent.findings.drift.model import Difference, Drift, Item, Step
from agent.objects.manifest import path_text

# Most paths in one entry.
_PATHS = 10


def ignore_differences(drift: Drift, differences: tuple[Difference, ...]) -> str:
    """The YAML, on one line, that goes under an Application's `spec` so that these differences no longer count."""
    import yaml

    resource = drift.resource
    entry: dict[str, object] = {"group": resource.group} if resource.group else {}
    entry |= {"kind": resource.kind, "name": resource.name}
    if resource.namespace:
        entry["namespace"] = resource.namespace
    entry |= _rules(differences)
    text = yaml.safe_dump({"ignoreDifferences": [entry]}, default_flow_style=True, sort_keys=False, width=100_000)
    return text.strip().removeprefix("{").removesuffix("}")


def json_pointer(steps: tuple[Step, ...]) -> str:
    """RFC 6901: `/metadata/annotations/example.com~1owner`."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def jq_path(steps: tuple[Step, ...]) -> str:
    """`.spec.template.spec.containers[] | select(.name == "api") | .image`."""
    text = "."
    for step in steps:
        if isinstance(step, Item):
            tests = " and ".join(
                f".{field} == {json.dumps(value, ensure_ascii=False)}"
                for field, value in zip(step.fields, step.values, strict=True)
            )
            text += f"[] | select({tests})"
        elif text.endswith(")"):
            text += f" | .{path_text((step,))}"
        else:
            text += path_text((step,)) if text == "." or isinstance(step, int) else _key(step)
    return text


def _key(step: str) -> str:
    part = path_text((step,))
    return part if part.startswith("[") else f".{part}"


def _rules(differences: tuple[Difference, ...]) -> dict[str, object]:
    managers = {d.owner.manager if d.owner and is_controller(d.owner) else "" for d in differences}
    if "" not in managers and (len(differences) > 1 or any(map(_is_keyed, differences))):
        return {"managedFieldsManagers": sorted(managers)}
    plain = [json_pointer(d.steps) for d in differences if not _is_keyed(d)]
    keyed = [jq_path(d.steps) for d in differences if _is_keyed(d)]
    found: dict[str, object] = {"jsonPointers": plain[:_PATHS]} if plain else {}
    return found | ({"jqPathExpressions": keyed[:_PATHS]} if keyed else {})


def _is_keyed(difference: Difference) -> bool:
    """Whether the path goes through a list, where a JSON pointer would need a position that may change."""
    return any(not isinstance(step, str) for step in difference.steps)
