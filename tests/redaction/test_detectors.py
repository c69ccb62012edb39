"""Every detector sees each text in which it would find something: its signs leave none out."""

from functools import cache
from random import Random

import pytest

from agent.redaction.detector import DETECTORS, Gate
from agent.redaction.spans import Detector, SearchedText
from tests.redaction.corpus import KINDS
from tests.redaction.corpus.making import b64, pem
from tests.redaction.corpus.ordinary import ORDINARY
from tests.redaction.test_texts import SECRET, TEXTS_WITH_A_SECRET

# Forms whose secret has a shape of its own.
_FURTHER_TEXTS = (
    '{"kty":"EC","d":"QgRkeV-o5c2g6LdovwAZ74gzrhWBz4HPcGSKb6PN"}',
    "the seed phrase is adapt achieve afraid aerobic access adjust advance address alert afford age air",
    "PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\nAAAAIKpXf5mZ0b7Qe2Lw9Xr4Tb8Nc1Vd6Mf3Hs5Jg0Py2Qe",
    f"ssh key {b64(pem('EC ')(Random(1)))}",
    "GET /callback?code=4%2F0AQlEd8xQ7Zk2Lw9Xr4Tb8Nc1Vd6Mf3",
)


@cache
def _corpus() -> tuple[SearchedText, ...]:
    random = Random(1)
    texts = [text.replace("{}", SECRET) for text in TEXTS_WITH_A_SECRET]
    texts += _FURTHER_TEXTS
    texts += [text.replace("{}", kind.make(random)) for kind in (*KINDS, *ORDINARY) for text in kind.texts]
    return tuple(map(SearchedText.of, texts))


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.name)
def test_a_detector_runs_on_every_text_in_which_it_finds_something(detector: Detector) -> None:
    examples = [searched for searched in _corpus() if list(detector.find(searched))]
    assert examples, "no text of the corpus has this form: add one"
    unseen = [searched.text for searched in examples if not detector.runs_on(searched.lowered)]
    assert unseen == [], f"none of {detector.signs} is in these texts"


def test_a_missing_sign_would_be_noticed() -> None:
    (complete,) = (detector for detector in DETECTORS if detector.name == "URL")
    without = Detector(complete.name, ("https://",), complete.find)
    with pytest.raises(AssertionError, match="is in these texts"):
        test_a_detector_runs_on_every_text_in_which_it_finds_something(without)


def test_signs_are_in_lower_case_as_the_text_is_that_they_are_searched_in() -> None:
    assert [sign for detector in DETECTORS for sign in detector.signs if sign != sign.lower()] == []


def test_names_of_detectors_are_unique() -> None:
    names = [detector.name for detector in DETECTORS]
    assert len(names) == len(set(names))


def test_the_gate_lets_the_same_detectors_run_as_their_signs_do() -> None:
    gate = Gate(DETECTORS)
    for searched in _corpus():
        running = [detector for detector in DETECTORS if detector.runs_on(searched.lowered)]
        assert list(gate.passing(searched.lowered)) == running
