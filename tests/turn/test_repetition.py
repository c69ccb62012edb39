"""An answer that loops is recognised; one that quotes similar lines is not."""

import pytest

from agent.turn.repetition import RepetitionWatch

BEGINNING = "The container was OOMKilled. Its limit is 128Mi.\n"

LOOPS = (
    "pet.",
    "0 ",
    "日志",
    "- Check the logs of the pod.\n",
    "You should change the Pod to a new one. ",
    "kubectl get pods -n shop\n",
    "```yaml\nkind: Pod\n```\n",
    "**Next steps**\n\nRestart it.\n\n",
    "To fix this issue, you can try increasing the memory limit of the container in the manifest and apply it again. ",
)

QUOTATIONS = {
    "a log whose lines differ in their time": "".join(f"10:{i:02d} ERROR refused to db:5432\n" for i in range(99)),
    "a log whose lines are all the same": "GET /healthz 200\n" * 60,
    "the frames of a recursion": "at com.acme.Loop.run(Loop.java:42)\n" * 30,
    "a table": "".join(f"| web-{i} | Running | {i % 3} |\n" for i in range(80)),
    "an empty table": "| | | |\n" * 200,
    "a rule": "-" * 2_000,
    "blanks": " " * 1_500,
    "a list in YAML": "".join(f"- name: VAR_{i}\n  value: '{i}'\n" for i in range(60)),
    "tolerations": "- key: node\n  operator: Exists\n" * 15,
    "a tree": "├── " + "│   " * 300,
}


def loops(text: str) -> bool:
    """Whether the watch fires while the text comes in pieces of five characters."""
    watch = RepetitionWatch()
    return any(watch.repeats(text[start : start + 5]) for start in range(0, len(text), 5))


@pytest.mark.parametrize("part", LOOPS)
def test_a_part_repeated_over_and_over_is_a_repetition(part: str) -> None:
    assert loops(BEGINNING + part * (4_000 // len(part)))


@pytest.mark.parametrize("kind", QUOTATIONS)
def test_a_quotation_of_similar_lines_is_none(kind: str) -> None:
    assert not loops(BEGINNING + QUOTATIONS[kind] + "Raise the limit.")
