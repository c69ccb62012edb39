"""Secrets that are known by their form alone: vendors' tokens, JSON web tokens and password hashes.

The vendors' patterns are those of detect-secrets, used as patterns: its own scan reports values without places, checks
some of them over the network and takes 0.75 ms a line. Formats that it does not know, or whose pattern there takes
more than linear time on a hostile text, are declared below. Owns no reading of names; private keys in PEM are
`agent.redaction.pem`'s.
"""

import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, cast

from agent.redaction.spans import Detector, SearchedText, SecretSpan, run_end
from agent.redaction.values import decoded

if TYPE_CHECKING:
    from detect_secrets.plugins.base import RegexBasedDetector


class _Format(NamedTuple):
    """`needle` is a text that every match contains, `group` the group of `pattern` that is the secret, `hint` a cheaper
    pattern that every match contains. A `bare` format has no mark of its own, so that it must stand alone; a `leading`
    one has a weak mark, so that it begins no word's middle; all but bare ones are hidden to the end of their word."""

    needle: str
    what: str
    pattern: re.Pattern[str]
    group: int = 0
    bare: bool = False
    leading: bool = False
    hint: re.Pattern[str] | None = None


# (needle, what, pattern). Group 1, where there is one, is the secret; `^` marks a leading format.
_OURS = [
    ("github_pat_", "token", r"github_pat_[A-Za-z0-9_]{22,255}"),
    ("xox", "token", r"xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,255}"),
    ("xapp-", "token", r"xapp-\d-[A-Za-z0-9-]{10,255}"),
    ("sk-", "key", r"^sk-[A-Za-z0-9_-]{20,255}"),
    ("k_live_", "key", r"[prs]k_live_[A-Za-z0-9]{10,255}"),
    ("k_test_", "key", r"[rs]k_test_[A-Za-z0-9]{10,255}"),
    ("whsec_", "key", r"whsec_[A-Za-z0-9+/=]{20,255}"),
    ("sq0", "key", r"sq0[a-z]{3}-[0-9A-Za-z_-]{22,64}"),
    ("AIza", "key", r"AIza[0-9A-Za-z_-]{35}"),
    ("ya29.", "token", r"ya29\.[0-9A-Za-z_-]{20,2048}"),
    ("GOCSPX-", "secret", r"GOCSPX-[0-9A-Za-z_-]{20,64}"),
    ("npm_", "token", r"^npm_[A-Za-z0-9]{36}"),
    ("pypi-", "token", r"^pypi-[A-Za-z0-9_-]{50,512}"),
    ("glpat-", "token", r"glpat-[A-Za-z0-9_.-]{20,255}"),
    ("hv", "token", r"^hv[sbr]\.[A-Za-z0-9_-]{20,512}"),
    ("s.", "token", r"^s\.(?=[A-Za-z]{0,23}\d)(?=[a-z0-9]{0,23}[A-Z])[A-Za-z0-9]{24}(?![A-Za-z0-9.])"),
    ("sha256~", "token", r"sha256~[A-Za-z0-9_-]{43}"),
    ("dckr_", "token", r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,64}"),
    ("hf_", "token", r"^hf_[A-Za-z0-9]{30,64}"),
    ("_v1_", "token", r"^do[opr]_v1_[a-f0-9]{64}"),
    ("dapi", "token", r"^dapi[a-f0-9]{32}(?:-\d)?"),
    ("glsa_", "token", r"glsa_[A-Za-z0-9_]{32,64}"),
    ("glc_", "token", r"glc_[A-Za-z0-9+/=]{32,400}"),
    ("shp", "token", r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    ("pul-", "token", r"^pul-[a-f0-9]{40}"),
    ("atlasv1", "token", r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,70}"),
    ("ATATT3", "token", r"ATATT3[A-Za-z0-9_=-]{20,255}"),
    ("ATBB", "token", r"^ATBB[A-Za-z0-9_=-]{20,255}"),
    ("lin_api_", "token", r"lin_api_[A-Za-z0-9]{24,255}"),
    ("rubygems_", "token", r"rubygems_[a-f0-9]{48}"),
    ("nvapi-", "token", r"nvapi-[A-Za-z0-9_-]{24,255}"),
    ("sntry", "token", r"sntry[su]_[A-Za-z0-9_=+/-]{24,400}"),
    ("gsk_", "token", r"^gsk_[A-Za-z0-9]{40,64}"),
    ("sq", "token", r"^sq[apu]_[a-f0-9]{40}"),
    ("dp.", "token", r"^dp\.(?:pt|st|ct|sa|scim)\.[A-Za-z0-9._-]{40,64}"),
    ("CCIPAT_", "token", r"CCIPAT_[A-Za-z0-9_]{20,100}"),
    ("pscale_", "token", r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{32,64}"),
    ("sbp_", "token", r"^sbp_[a-f0-9]{40}"),
    ("r8_", "token", r"^r8_[A-Za-z0-9]{37}"),
    ("nfp_", "token", r"^nfp_[A-Za-z0-9_]{36}"),
    ("ntn_", "token", r"^ntn_[A-Za-z0-9]{40,60}"),
    ("bkua_", "token", r"bkua_[a-z0-9]{40}"),
    ("figd_", "token", r"^figd_[A-Za-z0-9_-]{40}"),
    ("xai-", "key", r"^xai-[A-Za-z0-9]{60,100}"),
    ("EAA", "token", r"^EAA[A-Z][A-Za-z0-9]{60,255}"),
    ("ops_eyJ", "token", r"ops_eyJ[A-Za-z0-9_-]{100,2048}"),
    ("tskey-", "token", r"tskey-[A-Za-z0-9-]{16,255}"),
    ("NRAK-", "key", r"NRAK-[A-Z0-9]{27}"),
    ("PMAK-", "key", r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}"),
    ("key-", "key", r"^key-[0-9a-f]{32}"),
    ("AGE-SECRET-KEY-1", "key", r"AGE-SECRET-KEY-1[0-9A-Za-z]{40,70}"),
    ("Q~", "key", r"[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{31,34}"),
    ("IA", "key", r"A[KS]IA[0-9A-Z]{16}[\"'\s:,/|=]{1,8}([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"),
    ("hooks.slack.com/", "webhook", r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9_/+-]{16,255})"),
    ("/api/webhooks/", "webhook", r"/api/webhooks/(\d{6,24}/[\w-]{20,255})"),
    ("telegram.org/bot", "token", r"telegram\.org/bot(\d{6,12}:[\w-]{30,64})"),
    ("webhookb2/", "webhook", r"webhookb2/([\w@/-]{32,400})"),
    ("IBA", "private-key", r"MII[A-Za-z0-9+/]{3}IBA(?:AK|DAN)[A-Za-z0-9+/=]{20,16384}"),
    ("MHcCAQEEI", "private-key", r"MHcCAQEEI[A-Za-z0-9+/=]{20,512}"),
    ("MC4CAQAwBQYDK2VwBCIEI", "private-key", r"MC4CAQAwBQYDK2VwBCIEI[A-Za-z0-9+/=]{20,128}"),
    ("b3BlbnNzaC1rZXkt", "private-key", r"b3BlbnNzaC1rZXkt[A-Za-z0-9+/=]{20,16384}"),
    ("$2", "hash", r"\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}"),
    ("$", "hash", r"\$(?:[1567]|y|gy|apr1|argon2id?|argon2i|scrypt|pbkdf2(?:-sha\d{1,3})?)\$[\w./+=,$-]{20,512}"),
    ("pbkdf2_sha", "hash", r"pbkdf2_sha\d{1,3}\$\d{1,8}\$[\w./+-]{4,64}\$[A-Za-z0-9+/]{20,128}={0,2}"),
    ("{S", "hash", r"\{(?:SSHA|SHA|SMD5|SSHA256|SSHA512)\}([A-Za-z0-9+/=]{20,255})"),
    ("{CRYPT}", "hash", r"\{CRYPT\}([\w./$]{20,255})"),
    (".", "token", r"[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}"),
    ("NRAL", "key", r"[a-f0-9]{30,36}(?:FFFF)?NRAL"),
    ("hooks.zapier.com/", "webhook", r"hooks\.zapier\.com/hooks/catch/\d{1,12}/([A-Za-z0-9]{5,64})"),
    ("infura.io/", "key", r"infura\.io/(?:ws/)?v3/([a-f0-9]{32})"),
    ("alchemy.com/", "key", r"alchemy\.com/(?:nft/)?v\d/([A-Za-z0-9_-]{20,64})"),
    ("sk.eyJ", "token", r"^sk\.eyJ[A-Za-z0-9_-]{20,512}\.[A-Za-z0-9_-]{10,64}"),
    ("secret_", "token", r"^secret_[A-Za-z0-9]{43}(?![A-Za-z0-9])"),
    ("pat", "token", r"^pat[A-Za-z0-9]{14}\.[a-f0-9]{64}"),
    ("pat-", "token", r"^pat-[a-z]{2}\d-[a-f0-9]{8}-(?:[a-f0-9]{4}-){3}[a-f0-9]{12}"),
    ("-", "key", r"^(?:sdk|mob|api)-[a-f0-9]{8}-(?:[a-f0-9]{4}-){3}[a-f0-9]{12}(?![\w-])"),
    ("/", "token", r"^[0-2]/\d{16}:[a-f0-9]{32}"),
    ("oauth:", "token", r"^oauth:[a-z0-9]{30}(?![A-Za-z0-9])"),
    ("inline:", "key", r"inline:([A-Za-z0-9+/]{38,128}={0,2})"),
    ("SCRAM-SHA-", "hash", r"SCRAM-SHA-(?:1|256|512)\$\d{1,7}:([A-Za-z0-9+/=:$]{40,255})"),
]
_SHORTEST = 20
"""No format above or below has fewer characters without a blank."""
_REST = re.compile(r"[A-Za-z0-9_=-]*+")

_JWT = re.compile(
    r"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2}))"
    r"(eyJ[A-Za-z0-9_-]{8,}+={0,2}\.[A-Za-z0-9_-]++={0,2}(?:\.[A-Za-z0-9_-]*+)*+)"
)


def _tokens(searched: SearchedText) -> Iterator[SecretSpan]:
    text = searched.text
    long_words = "\n".join({word for word in text.split() if len(word) >= _SHORTEST})
    if not long_words:
        return
    for known in _formats():
        if known.needle in long_words and (known.hint is None or known.hint.search(long_words)):
            yield from _matches(text, known)
    if "eyJ" in long_words:
        for match in _JWT.finditer(text):
            if _has_jwt_header(match[1]):
                yield SecretSpan(match.start(1), match.end(1), "token")


def _matches(text: str, known: _Format) -> Iterator[SecretSpan]:
    at = 0
    while match := known.pattern.search(text, at):
        start, end = match.span(known.group)
        within = _begins_within_a_word(text, start)
        if (known.leading and within) or (known.bare and (within or text[end : end + 1].isalnum())):
            at = match.start() + 1
            continue
        if not known.bare and match.end() == end:
            end = run_end(_REST, text, end)
        at = max(match.end(), end)
        yield SecretSpan(start, end, known.what)


def _begins_within_a_word(text: str, start: int) -> bool:
    """Whether a word goes on at `start`; one begins after an escaped line break, a percent escape or a colour."""
    before = text[max(0, start - 3) : start]
    if not before or not (before[-1].isalnum() or before[-1] == "_"):
        return False
    return not (
        before[-2:] in ("\\n", "\\r", "\\t") or before[0] == "%" or (before[-1] == "m" and before[-2:-1].isdigit())
    )


def _has_jwt_header(token: str) -> bool:
    """Whether the first part is a JSON object. detect-secrets wants every part whole, but a log may cut a token."""
    text = decoded(token.partition(".")[0].replace("-", "+").replace("_", "/").rstrip("="))
    if text is None:
        return False
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


@cache
def _formats() -> tuple[_Format, ...]:
    """Ours and detect-secrets' patterns, compiled once; its import takes half a second and waits for the first use."""
    from detect_secrets.plugins.artifactory import ArtifactoryDetector
    from detect_secrets.plugins.aws import AWSKeyDetector
    from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
    from detect_secrets.plugins.discord import DiscordBotTokenDetector
    from detect_secrets.plugins.github_token import GitHubTokenDetector
    from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
    from detect_secrets.plugins.mailchimp import MailchimpDetector
    from detect_secrets.plugins.pypi_token import PypiTokenDetector
    from detect_secrets.plugins.sendgrid import SendGridDetector
    from detect_secrets.plugins.square_oauth import SquareOAuthDetector
    from detect_secrets.plugins.stripe import StripeDetector
    from detect_secrets.plugins.telegram_token import TelegramBotTokenDetector
    from detect_secrets.plugins.twilio import TwilioKeyDetector

    aws, twilio, gitlab = _patterns(AWSKeyDetector), _patterns(TwilioKeyDetector), _patterns(GitLabTokenDetector)
    artifactory, square = _patterns(ArtifactoryDetector), _patterns(SquareOAuthDetector)
    telegram, discord = _patterns(TelegramBotTokenDetector)[0], _patterns(DiscordBotTokenDetector)[0]
    theirs = [
        *(_Format(needle, "key", aws[0], bare=True) for needle in ("AKIA", "ASIA", "ABIA", "ACCA", "A3T")),
        *(_Format(needle, "key", aws[1], group=1) for needle in ("aws", "AWS", "Aws")),
        _Format("AKC", "token", artifactory[0]),
        _Format("AP", "password", artifactory[1]),
        _Format("AccountKey=", "key", _patterns(AzureStorageKeyDetector)[0]),
        _Format(".", "token", discord, bare=True, hint=re.compile(r"\.[\w-]{6}\.[\w-]{27}")),
        *(_Format(f"gh{kind}_", "token", _patterns(GitHubTokenDetector)[0]) for kind in "pousr"),
        *(_Format("gl", "token", pattern) for pattern in gitlab if "GR1348941" not in pattern.pattern),
        *(_Format("GR1348941", "token", pattern) for pattern in gitlab if "GR1348941" in pattern.pattern),
        _Format("-us", "key", _patterns(MailchimpDetector)[0], bare=True),
        *(_Format("pypi-", "token", pattern) for pattern in _patterns(PypiTokenDetector)),
        _Format("SG.", "key", _patterns(SendGridDetector)[0]),
        _Format("sq0csp-", "key", square[0]),
        _Format("k_live_", "key", _patterns(StripeDetector)[0]),
        _Format(":", "token", telegram, bare=True, hint=re.compile(r":[\w-]{35}")),
        *(_Format(needle, "key", pattern, bare=True) for needle, pattern in zip(("AC", "SK"), twilio, strict=True)),
    ]
    ours: list[_Format] = []
    for needle, what, text in _OURS:
        pattern = re.compile(text.removeprefix("^"))
        ours.append(_Format(needle, what, pattern, group=pattern.groups, leading=text.startswith("^")))
    return (*theirs, *ours)


def _patterns(detector: "type[RegexBasedDetector]") -> Sequence[re.Pattern[str]]:
    return list(cast("Sequence[re.Pattern[str]]", detector.denylist))


# Without signs: each format has a needle of its own, which is case-sensitive and searched for in the long words only.
DETECTORS = (Detector("tokens and hashes of a known form", (), _tokens),)
