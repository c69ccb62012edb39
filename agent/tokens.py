"""Counting tokens without a tokenizer: an upper estimate that needs no download. Owns no budget."""

import re

# Byte-pair vocabularies of current models spend about 4 bytes a token on English prose and under 3 on YAML, digits and
# identifiers. Words of letters cost one token per started 5 letters, digits one per started 2 (hex and UIDs split
# badly), every other visible character one, each character outside ASCII up to 3, runs of blanks one.
_PIECES = re.compile(r"[A-Za-z]+|[0-9]+|\s+|[^\x00-\x7f]|.", re.DOTALL)


def count_tokens(text: str) -> int:
    """An upper estimate of the tokens of `text`."""
    total = 0
    for match in _PIECES.finditer(text):
        piece = match.group()
        first = piece[0]
        if first.isascii() and first.isalpha():
            total += (len(piece) + 4) // 5
        elif first.isascii() and first.isdigit():
            total += (len(piece) + 1) // 2
        elif first.isspace():
            # A single blank joins the next word; line breaks and indentation cost a token.
            total += 0 if piece == " " else 1
        else:
            total += 1 if first.isascii() else 2
    return total
