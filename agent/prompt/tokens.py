"""Counting tokens without a tokenizer: an upper estimate that needs no download. Owns no budget.

Vocabularies differ, so the estimate is held against eleven of them at once: cl100k, o200k, Llama 3, Llama 4, an older
one of Claude and DeepSeek, which join three digits; Qwen, Mistral's Tekken and SmolLM2, which give each digit a token;
and the two SentencePiece vocabularies of Mistral with 32,000 entries. Over 476 prompts (every scenario, logs of
megabytes, public reports) the most wasteful of them needed at most 0.94 of the estimate and 0.88 on average, those
that join digits 0.68 on average. It counts classes of bytes, which is several times as fast as a regular expression
over words.
"""

import re
import sys

_LOWER = b"abcdefghijklmnopqrstuvwxyz"
_UPPER = _LOWER.upper()
_DIGITS = b"0123456789"


def _classes(*classes: tuple[bytes, bytes], other: bytes) -> bytes:
    """A table for bytes.translate: each class as one mark, everything else as `other`."""
    table = bytearray(other * 256)
    for mark, members in classes:
        for member in members:
            table[member] = mark[0]
    return bytes(table)


_KINDS = _classes((b"a", _LOWER), (b"A", _UPPER), (b"0", _DIGITS), (b" ", b" "), (b"\n", b"\n\r\t\f\v"), other=b".")
_LETTERS = _classes((b"a", _LOWER + _UPPER), other=b" ")
_CONSONANTS = _classes((b"a", bytes(set(_LOWER) - set(b"aeiouy"))), other=b" ")
_BLANKS = _classes((b" ", b" "), other=b"x")

# Of characters outside ASCII each costs a token, of these scripts one more. Korean, rare scripts and symbols, which
# small vocabularies spell byte by byte, cost two more; accented letters, which break a word for them, and emoji three.
_SCRIPTS = re.compile("[\u0370-\u03ff\u0590-\u08ff\u1e00-\u1eff\u2e80-\ua4cf\uf900-\ufaff\uff00-\uffef]")
_SPELLED = re.compile("[\u0900-\u1dff\u2070-\u24ff\u2580-\u2bff\ua500-\ud7ff]")
_BREAKING = re.compile("[\u00c0-\u024f\U00010000-\U0010ffff]")


def count_tokens(text: str) -> int:
    """An upper estimate of the tokens of `text`. More text never counts less."""
    raw = b"\n" + text.encode("ascii", "replace")
    count = raw.translate(_KINDS).count
    whole = _words(raw) + _space(raw) + count(b"0") + count(b"\n") - 1
    whole += count(b"aA") + count(b"A0") + count(b"0A")  # where letters and digits mix, words end
    whole += count(b" 0")  # a blank joins the word behind it, but no number
    # Of four signs three cost a token, as vocabularies join some of them, but none that ends a number.
    # A tab ends that joining.
    quarters = 3 * count(b".") + raw.count(b"\t") + count(b"0.") + 2 * count(b"AA") + count(b"a0") + count(b"0a")
    if not text.isascii():
        quarters += len(text) - len(text.encode("ascii", "ignore"))  # each is a sign so far
        whole += len(_SCRIPTS.findall(text)) + 2 * len(_SPELLED.findall(text)) + 3 * len(_BREAKING.findall(text))
    return whole + (quarters + 3) // 4


def _words(raw: bytes) -> int:
    """One for each word, one more for each 6 letters, one more for each 3 consonants in a row (no word at all)."""
    letters = raw.translate(_LETTERS)
    return letters.count(b" a") + letters.count(b"aaaaaa") + raw.translate(_CONSONANTS).count(b"aaa")


def _space(raw: bytes) -> int:
    """One for each run of two blanks or more, one more for each 17: a single blank joins the next word."""
    blanks = raw.translate(_BLANKS)
    return blanks.count(b"x  ") + blanks.count(b" " * 17)


# The pairs of letters that make up nine tenths of manifests, events, logs and findings (counted over the scenarios), as
# the numbers that two bytes are.
_PAIRS = frozenset(
    int.from_bytes(pair, sys.byteorder)
    for pair in (
        b"ab ac ad ag ai al am an ap ar as at au be bl ca cc cd ce ch ck co cr ct cy da de di ds dy ea eb ec "
        b"ed ef el em en ep er es et ev ex fa fi fo ge gi gr ha he ho ht ic id il im in io ip is it iv ki ku "
        b"la le li ll lo ls lt lu ma me mi mp na nc nd ne ng ni no ns nt ob oc od ol om on op or os ot ou oy "
        b"pa pe pi pl po pp pr ps pu ra rc re rg ri rm rn ro rs rt ru rv ry sa sc se sh si so sp ss st sy ta "
        b"tc te th ti to tp tr ts tt tu ty ub ue ui ul un up ur us ut va ve vi we xa yn yp ys "
    ).split()
)
_COMMON_SHARE = 0.85
# So many characters are looked at, in slices from all over a longer text.
_LOOKED_AT, _SLICES = 200_000, 20


def adversarial_margin(text: str) -> int:
    """Tokens by which `count_tokens` may be too low because the words of `text` are none: random letters, as nobody but
    an attacker writes them, need up to 2.5 times the estimate. Next to nothing for text of a language or a cluster."""
    looked_at = text if len(text) <= _LOOKED_AT else _slices(text)
    raw = b" " + looked_at.lower().encode("ascii", "replace")
    letters = raw.translate(_LETTERS)
    pairs = letters.count(b"a") - letters.count(b" a")
    common = _common(raw) + _common(raw[1:])
    strange = max(_COMMON_SHARE * pairs - common, 0.0)
    if not looked_at.isascii():  # written text repeats its characters, and rare ones are spelled byte by byte
        other = [character for character in looked_at if character > "\x7f"]
        strange += max(len(set(other)) - 0.6 * len(other), 0.0) * 2.5
    return int(strange * len(text) / max(len(looked_at), 1))


def _common(raw: bytes) -> int:
    """The common pairs among the first and second byte, the third and fourth, and so on."""
    return sum(map(_PAIRS.__contains__, memoryview(raw[: len(raw) // 2 * 2]).cast("H")))


def _slices(text: str) -> str:
    step, size = len(text) // _SLICES, _LOOKED_AT // _SLICES
    return " ".join(text[start : start + size] for start in range(0, step * _SLICES, step))
