"""The text of a file's bytes: UTF-8, or UTF-16 and UTF-32 as PowerShell and editors on Windows write them."""

import codecs

# The longer marks first: that of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decoded(raw: bytes) -> str:
    """The text of `raw`, without a byte order mark. Text in UTF-16 without a mark is known by its zero bytes.

    Raises UnicodeDecodeError.
    """
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return raw.decode(encoding)
    if raw[1:2] == b"\0" and raw[:1] != b"\0":
        return raw.decode("utf-16-le")
    if raw[:1] == b"\0" and raw[1:2] not in {b"", b"\0"}:
        return raw.decode("utf-16-be")
    return raw.decode("utf-8-sig")
