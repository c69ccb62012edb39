"""What the list of traces shows of a turn: sentences in place of Markdown, of an error or of nothing."""

import pytest

from agent.mlflow.previews import plain_text, request_preview, response_preview
from agent.objects.target import ApplicationRef, ResourceRef, Target


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        (
            "## Most likely cause: Container api is OOMKilled\n\nThe *kernel* killed `api`.\n",
            "Most likely cause: Container api is OOMKilled. The kernel killed api.",
        ),
        ("# Why?\n\nIt is\n**full**", "Why? It is full."),
        ("- Raise `limits.memory`\n- Sync\n", "Raise limits.memory. Sync."),
        ("> No model was asked.\n\nIt waits.", "No model was asked. It waits."),
        ("Run:\n\n```sh\nkubectl get pods\n  -n shop\n```\n", "Run: kubectl get pods -n shop."),
        ("[The pod](https://example.com) and ![a picture](x.png)", "The pod and a picture."),
        (r"A \*star\* &amp; a <b>tag</b>", "A *star* & a <b>tag</b>."),
        ("", ""),
    ],
)
def test_the_marks_of_markdown_are_gone_and_headings_are_sentences(markdown: str, words: str) -> None:
    assert plain_text(markdown) == words


def test_a_long_answer_is_cut_to_what_the_store_has_room_for() -> None:
    assert plain_text("word " * 10_000) == ("word " * 100)[:499] + "…"


def test_a_failed_turn_is_a_sentence() -> None:
    assert response_preview("", failure="Too many requests.") == "Not answered: Too many requests."
    assert response_preview("## It", failure="The server is away") == (
        "Not answered: The server is away. The answer had begun: It."
    )


def test_an_answer_that_its_reader_left_begins_with_that() -> None:
    assert response_preview("Word by", left=True) == "The client left before the end of the answer. Word by."
    assert response_preview("", left=True) == "The client left before the end of the answer."


def test_a_question_that_was_not_read_is_replaced_by_its_target() -> None:
    target = Target(
        application=ApplicationRef(namespace="argocd", name="checkout"),
        resource=ResourceRef(kind="Pod", name="api-1", namespace="shop", version="v1"),
    )

    assert request_preview(target) == "A question about Pod shop/api-1 of Application argocd/checkout"
    assert request_preview(Target()) == "A general question"
