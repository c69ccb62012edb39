"""Redaction: secrets are hidden before anything is sent, traced or logged; the same value gets the same placeholder.

    Redacted            a value that has passed the redactor           redacted
    Redactor            the session's memory and the passes                redactor, hiding, known
      find_secrets      secrets of a text, by form, name or place          detector: formats, pem, encodings, documents,
                                                                             addresses, sentences, commands, ...
        unescape        the same text without colours and escapes          spellings
        wrapped         the lines a secret goes on in                      wrapping
      structure         secrets of an object, by what Kubernetes means     structure
      verdict           whether this value under this name is a secret     names, values

It guesses with care both ways: image digests, UIDs, commits, checksums, names, durations and public certificates stay
readable, because an answer needs them.
"""

from agent.redaction.redacted import Redacted
from agent.redaction.redactor import Redactor

__all__ = ["Redacted", "Redactor"]
