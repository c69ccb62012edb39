"""Secrets in command lines whose options do not name them: `curl -u user:password`, `mysql -pX`, `redis-cli -a x`.

Owns the options of the commands that are run in containers; options with a telling name (`--password x`) are
`agent.redaction.assignments`'.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agent.redaction.spans import Detector, SearchedText, SecretSpan, first_group
from agent.redaction.values import is_masked, is_plain, is_reference, looks_random, looks_secret


@dataclass(frozen=True, slots=True, kw_only=True)
class _Command:
    """`next` options are followed by the secret, `glued` ones are written together with it, `pair` ones are followed by
    `user:password`; `only_with` is a word that the command line must contain."""

    next: frozenset[str] = frozenset()
    glued: tuple[str, ...] = ()
    pair: frozenset[str] = frozenset()
    only_with: str = ""
    operands: tuple[tuple[re.Pattern[str], int], ...] = ()
    """After a word of the pattern, the number of the operand that is the secret."""


_MYSQL = _Command(glued=("-p",))
_LOGIN = _Command(next=frozenset({"-p"}), only_with="login")
_WITH_USER = _Command(pair=frozenset({"-u", "--user", "-U", "--proxy-user", "--creds"}))
_LDAP = _Command(next=frozenset({"-w"}))
_MOSQUITTO = _Command(next=frozenset({"-P"}))
_MONGO = _Command(next=frozenset({"-p"}))
_KEYTOOL = _Command(
    next=frozenset({"-storepass", "-keypass", "-newpass", "-deststorepass", "-srcstorepass", "-destkeypass"})
)
_COMMANDS: dict[str, _Command] = {
    **dict.fromkeys(("curl", "wget", "skopeo"), _WITH_USER),
    **dict.fromkeys(
        ("mysql", "mysqldump", "mysqladmin", "mysqlcheck", "mysqlshow", "mysqlimport", "mysqlslap"), _MYSQL
    ),
    **dict.fromkeys(("mariadb", "mariadb-dump", "mariadb-admin", "xtrabackup", "mariabackup"), _MYSQL),
    **dict.fromkeys(("docker", "podman", "nerdctl", "buildah", "helm", "oras", "crane", "oc", "az", "argocd"), _LOGIN),
    **dict.fromkeys(("ldapsearch", "ldapadd", "ldapmodify", "ldapwhoami", "ldapdelete"), _LDAP),
    **dict.fromkeys(("mosquitto_pub", "mosquitto_sub"), _MOSQUITTO),
    **dict.fromkeys(("mongo", "mongosh", "mongodump", "mongorestore", "mongoexport", "mongoimport"), _MONGO),
    **dict.fromkeys(("keytool", "jarsigner"), _KEYTOOL),
    "vault": _Command(next=frozenset({"unseal", "login"})),
    "htpasswd": _Command(operands=((re.compile(r"-\w*n\w*b\w*|-\w*b\w*n\w*"), 2), (re.compile(r"-\w*b\w*"), 3))),
    "rabbitmqctl": _Command(operands=((re.compile("add_user|change_password|authenticate_user"), 2),)),
    "rclone": _Command(operands=((re.compile("obscure"), 1),)),
    "mc": _Command(operands=((re.compile("set|add"), 4),)),
    "etcdctl": _Command(pair=frozenset({"--user"})),
    "sshpass": _Command(next=frozenset({"-p"}), glued=("-p",)),
    "redis-cli": _Command(next=frozenset({"-a", "--pass"})),
    "sqlcmd": _Command(next=frozenset({"-P"}), glued=("-P",)),
    "openssl": _Command(next=frozenset({"-passin", "-passout", "-pass", "-k", "-K"})),
}
_NAME = re.compile(rf"(?:{'|'.join(sorted(map(re.escape, _COMMANDS), key=len, reverse=True))})(?=[\"',]{{0,3}}[\s])")
_OPTION = re.compile(
    r"[\s\"'](?:-(?:[A-Za-z]{0,8}u|[paPwUkK]|-user|-proxy-user|-creds|-from-literal|-pass|\w*pass\w*)[\s=\"']|-[pP]\S|unseal\s"
    r"|\w{3,16}_user\s|change_password\s|obscure\s|alias\s|-[A-Za-z]{0,4}b[A-Za-z]{0,4}\s)"
)
_SHORT_OPTIONS = re.compile(r"-[A-Za-z]{1,8}u")
_WORD = re.compile(r"[^\s]+")
_LONGEST = 2000
_OPENING = "\"'[(`"
_CLOSING = "\"'])`,"
_LITERAL = re.compile(r"--from-literal[=\s]['\"]?[\w.\-]{1,253}=(?:(?<=\")([^\"\n]{1,4096})|([^\s\"']{1,4096}))")

# A password that is piped into the command that reads it.
_PIPED = re.compile(
    r"\b(?:echo|printf)[ \t\x1f]+(?:-\w{1,3}[ \t]+|['\"]?%s(?:\\n)?['\"]?[ \t]+){0,2}"
    r"['\"]?([^\s\"'|]{4,256})['\"]?[ \t]*\|"
    r"(?:[^\n|;&]{1,200}?--(?:password-|pass-)?stdin\b|[ \t]*(?:sudo[ \t]+(?:-\w+[ \t]+){0,4}?-\w*S\b|kinit\b))"
)


# `echo 'root:x' | chpasswd`, and PowerShell's ConvertTo-SecureString.
_CHPASSWD = re.compile(
    r"\b(?:echo|printf)[ \t\x1f]+[^\n|;&]{0,16}?\b[\w.-]{1,32}:([^\s\"'|]{4,256})['\"]?[ \t]*\|[ \t\w/]{0,64}chpasswd\b"
)
_REPLACED = re.compile(  # of sed
    r"\bs([/|#,])[^/|#,\n]{0,64}(?i:passw|token|secret|_key)[^/|#,\n]{0,64}\1([^/|#,\n]{4,256})\1"
)
_SECURE_STRING = re.compile(r"ConvertTo-SecureString[ \t]+(?:-String[ \t]+)?['\"]?([^\s\"']{4,256})")


def _is_given(value: str) -> bool:
    """Whether the value itself is there, not a mask or a reference."""
    return not is_masked(value) and not is_reference(value)


def _options(searched: SearchedText) -> Iterator[SecretSpan]:
    """Words are divided by blanks, or by U+001F where a list was joined."""
    text = searched.text
    if not _OPTION.search(text):
        return
    done = 0
    for match in _NAME.finditer(text):
        if match.start() >= done and not (text[match.start() - 1 : match.start()] or " ").isalnum():
            done = _end(text, match.end())
            yield from _secrets(text, match.end(), done, _COMMANDS[match[0]])
    if "--from-literal" in text:
        for match in _LITERAL.finditer(text):
            group = 1 if match[1] else 2
            if _is_given(match[group]):
                yield SecretSpan(*match.span(group), "secret")


def _replacements(searched: SearchedText) -> Iterator[SecretSpan]:
    for match in _REPLACED.finditer(searched.text):
        if looks_secret(match[2]) or looks_random(match[2]):
            yield SecretSpan(*match.span(2), "password")


def _end(text: str, at: int) -> int:
    ends = [found for sign in ("\n", ";", "|", "&&") if (found := text.find(sign, at, at + _LONGEST)) >= 0]
    return min(ends, default=min(len(text), at + _LONGEST))


def _secrets(text: str, start: int, end: int, command: _Command) -> Iterator[SecretSpan]:
    if command.only_with and command.only_with not in text[start:end]:
        return
    expected = ""
    operands = 0
    for match in _WORD.finditer(text, start, end):
        word = match[0].lstrip(_OPENING)
        at = match.end() - len(word)
        word = word.rstrip(_CLOSING)
        option, equals, value = word.partition("=")
        if expected:
            yield from _argument(word, at, pair=expected == "pair")
            expected = ""
        elif operands:
            operands -= not word.startswith("-")
            if not operands:
                yield from _argument(word, at, pair=False)
        elif count := next((count for before, count in command.operands if before.fullmatch(word)), 0):
            operands = count
        elif word in command.next:
            expected = "next"
        elif word in command.pair or (command.pair and _SHORT_OPTIONS.fullmatch(word)):
            expected = "pair"
        elif option in command.pair and equals:
            yield from _argument(value, at + len(option) + 1, pair=True)
        elif glued := next((start for start in command.glued if word.startswith(start) and word != start), ""):
            yield from _argument(word[len(glued) :], at + len(glued), pair=False)


def _argument(word: str, at: int, *, pair: bool) -> Iterator[SecretSpan]:
    if pair:
        user, colon, word = word.partition(":")
        at += len(user) + len(colon)
    elif word.startswith("pass:"):
        word, at = word[5:], at + 5
    if len(word) >= 2 and not word.startswith("-") and not (is_masked(word) or is_reference(word) or is_plain(word)):
        yield SecretSpan(at, at + len(word), "password")


DETECTORS = (
    Detector("piped password", ("stdin", "sudo", "kinit"), first_group(_PIPED, "password", _is_given)),
    Detector("chpasswd", ("chpasswd",), first_group(_CHPASSWD, "password", _is_given)),
    Detector("ConvertTo-SecureString", ("securestring",), first_group(_SECURE_STRING, "password", _is_given)),
    Detector("sed", ("sed ", "sed\x1f"), _replacements),
    Detector("option of a command", ("-", "unseal", "_user", "change_password", "obscure", "alias"), _options),
)
