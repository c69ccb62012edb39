"""Label selectors as Kubernetes evaluates them, and the labels that keep one from matching.

The rules are those of https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors.
"""

from collections.abc import Mapping

from agent.objects.manifest import Manifest, list_at, object_at, objects_at, text_at

type Labels = Mapping[str, str]


def labels_at(value: object, *path: str | int) -> dict[str, str]:
    """The labels at `path`; what is no text is left out."""
    return {key: text for key, text in object_at(value, *path).items() if isinstance(text, str)}


def differences(wanted: Labels, labels: Labels) -> list[tuple[str, str, str | None]]:
    """The labels of `wanted` missing in `labels`: key, wanted value, and the value there (None: no such key)."""
    return [(key, value, labels.get(key)) for key, value in wanted.items() if labels.get(key) != value]


def takes(wanted: Labels, labels: Labels) -> bool:
    """Whether a selector of labels alone (a Service's) matches; an empty one matches nothing."""
    return bool(wanted) and not differences(wanted, labels)


def selects(selector: Manifest, labels: Labels) -> bool:
    """Whether a LabelSelector (`matchLabels`, `matchExpressions`) matches; an empty one matches everything, one with
    an operator that Kubernetes does not know nothing."""
    if differences(labels_at(selector, "matchLabels"), labels):
        return False
    return all(_holds(expression, labels) for expression in objects_at(selector, "matchExpressions"))


def _holds(expression: Manifest, labels: Labels) -> bool:
    value = labels.get(text_at(expression, "key"))
    values = list_at(expression, "values")
    match text_at(expression, "operator"):
        case "In":
            return value in values and value is not None
        case "NotIn":
            return value is None or value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case _:
            return False


def spelled(labels: Labels) -> str:
    """Labels as `kubectl -l` takes them."""
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels))
