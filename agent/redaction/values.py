"""What a value looks like by itself: already masked, a reference, clearly something else, a name, or random.

Owns the judgement of single values, independent of names, texts and objects.
"""

import base64
import binascii
import math
import re
from collections import Counter


def _word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


FUNCTION_WORDS = _word_set(
    """
    a also always an and are as at be been being but by can cannot could did do does doesn't don't for from had has
    hasn't have if in into is isn't it its may must need needs not of on only or shall should than that the their
    then there this to via was wasn't were when which while who will with won't would you your
    """
)
"""Words that continue a sentence about a secret: "must not be empty" is no password."""

STATUS_WORDS = FUNCTION_WORDS | _word_set(
    """
    str int bool bytes float number object all
    absent accepted added again alphanumeric already any anyway ascii auth authenticated authentication
    authorization base64 based because before both cached case-sensitive certainly changed check checked complete
    contains correct corrupt created decoded decrypted default defaulted definitely deleted denied deprecated
    differs disabled doesnt each either empty enabled encoded encrypted endpoint error exceeded exceeds exchange
    exists expected expire expired expires expiring failed fails failure fetched field file flow forbidden format
    found generated generation grant granted hash hashed header here hidden hint however ignored incorrect info
    initialized input insecure instead interrupted introspection invalid issue issued known least length lifetime
    loaded long longer lookup malformed management masked maybe mismatch mismatched missing mode more mounted name
    needed neither never new no none now null ok old omitted once one optional parameter parsing passed path
    permission plaintext please policy possible present probably prompt protected provided provider read ready
    really received recreated redacted refresh refreshed refused rejected released removed renewal renewed replaced
    request requested required requires reset response retrieved returned review revoked right rotated rotation
    rotator safe salted scope secure sent server service set short shorter signature simple size some source status
    still store stored string strong succeeded success synced syntax too true type unauthorized unavailable
    unchanged undefined unencrypted unexpected unknown unsafe unset until updated use used using utf-8 valid
    validated validation value verification verified version very visible volume weak wrong yes yet
    """
)
"""Words that follow "password" or "token" in a message without being one."""

COMMON_VALUES = _word_set(
    """
    access account accounts admin administrator agent alpha anonymous api app application applications argocd
    backend basic bearer beta bound bucket cache certificate changeme client cluster config configmap configuration
    connection console container create credential credentials customer data database debug default demo deployment
    dev develop development docker elastic elasticsearch example false frontend generic github gitlab google grafana
    guest harbor helm http https ingress internal jenkins job kafka key keycloak keys kubernetes latest letmein
    local localhost main manager mariadb master memcached metrics minio mongo mongodb monitoring mysql namespace
    nginx node object opensearch operator oracle orders overview owner pass passphrase password passwords payment
    payments platform pod policy postgres postgresql private prod production profile prometheus public rabbitmq
    reader redis registry release replica replication role root sample secret secrets session shared signing sso
    stage staging standard state super superuser support system test tester testing text token tokens user username
    users vault web webhook worker write writer yaml zookeeper
    """
)
"""Values so common that hiding each of their occurrences would hide the language itself."""

_MASKED = re.compile(
    r"[*+•x.\-_#?X…]+|[<\[({*_]*(?:redacted|hidden|masked|removed|omitted|sensitive|sensitive value|filtered|scrubbed"
    r"|unset|none|null|nil|undefined|empty|not set|set|n/a)[>\])}*_]*|<[^<>]*>(?:[\s,;].*)?|\[REDACTED\b.*",
    re.IGNORECASE | re.DOTALL,
)
_REFERENCE = re.compile(
    r"\$\{[^{}]*\}|\$\([^()]*\)|\$[A-Z_][A-Z0-9_]*|\$[a-z_]+|\$\w[\w-]*[.:][\w.:\-]+|\$\d{1,2}"  # shell, Argo CD, SQL
    r"|%\(\w+\)s|%[A-Za-z_]\w*%|%[svdqrw]|%\+?v|:[a-z_]+|\?|\{[\w.!:]*\}"  # formats and SQL parameters
    r"|\{\{.*\}\}|\{%.*%\}|<%.*%>|\$\{\{.*\}\}"  # templates
    r"|[!&*][a-z_]+|@\w+@"  # YAML tags and anchors, build-time substitution
    r"|(?:valueFrom|secretKeyRef|configMapKeyRef|process\.env|os\.environ|os\.getenv|getenv|env|var|vault|ref\+\w+|secretsmanager"
    r"|awssm|gcpsm|ssm|op|file|env_var|lookup|include|tpl)(?:[:.(\[]|://).*",
    re.DOTALL,
)
_SCALAR = re.compile(
    r"(?:true|false|yes|no|on|off|y|n|nil|null|none|enabled?|disabled?|required|optional|auto|always|never|ifnotpresent)"
    r"|(?:\d+(?:\.\d+)?\s?(?:ns|us|µs|ms|s|sec|secs|seconds|m|min|mins|minutes|h|hours?|d|days?|w|weeks?|y|years?))+"
    r"|\d+(?:\.\d+)?\s?(?:[kmgtpe]i?b?|%|bits?|bytes?|m)"
    r"|\d{4}-\d\d-\d\d(?:[t ][\d:.]+(?:z|[+-]\d\d:?\d\d)?)?"
    r"|v?\d+(?:\.\d+){1,3}(?:[-+][a-z0-9.\-]+)?"
    r"|(?:\d{1,3}\.){3}\d{1,3}(?::\d+|/\d+)?"
    r"|0x[0-9a-f]{1,16}"
    r"|(?:[\d*/,\-]{1,32} ){4}[\w*/,\-?#]{1,32}",  # of cron
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
_POINTER = re.compile(
    r"[a-z][a-z0-9+.\-]*://\S*|arn:aws[\w-]*:\S+|(?:\.{0,2}|~)(?:/[a-z0-9_.\-]+)+/?|/|[a-z]:\\\S*|projects/\S+/secrets/\S*"
    r"|[\w.\-/]+\.(?:pem|crt|cer|key|txt|json|ya?ml|conf|cfg|ini|env|jks|p12|pfx|keystore|toml|properties|pub|sh|py|go|java"
    r"|js|ts|rb|php|sql|html?|svc|local|com|io|org|net|dev|internal)"
    r"|[a-z_]\w{0,63}(?:\.[a-z_]\w{0,63}){1,16}\.[A-Z]\w{0,127}"  # a class
    r"|[\w.\-]+/[\w.\-]+(?:/[\w.\-]+)*[#:][\w.\-]+|ssh-(?:rsa|dss|ed25519) \S+.*|ecdsa-\S+ \S+.*",
)
# Ciphertexts of SOPS (https://github.com/getsops/sops) and eyaml, of Ansible's vault, Vault's transit engine and a
# SealedSecret.
_CIPHERTEXT = re.compile(
    r"ENC\[.*|\$ANSIBLE_VAULT;.*|vault:v\d{1,6}:[A-Za-z0-9+/=]{20,}|Ag[A-D][A-Za-z0-9+/]{300,}={0,2}", re.DOTALL
)
_DIGEST = re.compile(
    r"(?:(?:sha\d{1,3}|md5)[:=-])?(?:[0-9a-f]{7,12}|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{128})"
)
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_CODE = re.compile(
    r"[({\[][A-Za-z_, ]*|[A-Za-z_.]{3,}[(\[](?:.*[)\]]|[A-Za-z_.\"'{]*)|[a-z_]+(?:\.[a-z_]+)+"
    r"|(?=\w*(?:token|secret|passw|pwd|cred|key|TOKEN|SECRET|PASSW|KEY|CRED))[A-Za-z]+(?:_[A-Za-z]+)+",
    re.DOTALL,
)
# Words in a Kubernetes-style name: letters with at most a short number (`pg14`, `v2`), or a number.
_NAME = re.compile(
    r"(?:[a-z]{1,40}\d{0,3}|[a-z]\d[a-z]|\d{1,6})(?:[-._/:](?:[a-z]{1,40}\d{0,3}|[a-z]\d[a-z]|\d{1,6}))*"
)
_GENERATED_NAME = re.compile(r"[a-z][a-z0-9]*(?:[-./][a-z0-9]+)+")
_RANDOM = re.compile(r"[A-Za-z0-9+/=_\-.~%:!@#$^&*]+")
_CAMEL = re.compile(r"[A-Z]{0,4}[a-z]+(?:[A-Z][a-z]+)*(?:[A-Z]{2,4})?")
_DIGIT = re.compile(r"\d")
_PUNCTUATION = re.compile(r"[^\w\-./ ]")
_WORD_PIECES = re.compile(r"[A-Z]?[a-z]{3,}|[A-Z]{3,}")

ORDINARY_WORDS = STATUS_WORDS | COMMON_VALUES
"""Words that are no secret unless their position makes them one."""


def is_masked(value: str) -> bool:
    """Whether nothing is left to hide: empty, stars, `<redacted>`, a placeholder."""
    value = value.strip()
    if len(set(value)) <= 2 and not any(sign.isalnum() for sign in value):
        return True
    return _MASKED.fullmatch(value) is not None


def is_reference(value: str) -> bool:
    """Whether the value only refers to the secret: `${VAR}`, `$(VAR)`, `{{ .Values.x }}`, `$oidc.clientSecret`;
    or is encrypted."""
    value = value.strip()
    return _REFERENCE.fullmatch(value) is not None or _CIPHERTEXT.fullmatch(value) is not None


def is_plain(value: str) -> bool:
    """Whether the value is clearly no secret whatever its name is: a switch, a duration, a size, a path, a URL."""
    return len(value) <= 2048 and (_SCALAR.fullmatch(value) is not None or _POINTER.fullmatch(value) is not None)


def is_code(value: str) -> bool:
    """Whether the value reads like an expression of a program (`self.token()`, `Optional[str]`, `next_token`), as in
    the source lines of a stack trace."""
    return len(value) <= 512 and _CODE.fullmatch(value.rstrip(",")) is not None


def is_number(value: str) -> bool:
    """Whether the value is a number of fewer than eight digits."""
    return len(value) < 8 and _NUMBER.fullmatch(value) is not None


def is_name(value: str) -> bool:
    """Whether the value reads like the name of an object (`db-credentials`, `postgres-14`), or is a single word."""
    return len(value) <= 253 and (
        (
            _NAME.fullmatch(value) is not None
            and (value.isalpha() or any(sign in value for sign in "-._/") or value.count(":") > 1)
        )
        or _GENERATED_NAME.fullmatch(value) is not None
        or (value.isalpha() and (value.islower() or value.istitle() or _is_camel(value)))
    )


def _is_camel(value: str) -> bool:
    """Words of three letters on average, each with one capital, as no random text has them for long."""
    humps = 1 + sum(c.isupper() for c in value[1:])
    return _CAMEL.fullmatch(value) is not None and len(value) >= 3 * humps


def is_identifier(value: str) -> bool:
    """Whether the value is a digest, a commit or a UID: random, and public."""
    return len(value) <= 140 and (_DIGEST.fullmatch(value) is not None or _UUID.fullmatch(value) is not None)


def is_uuid(value: str) -> bool:
    """Whether the value is a UUID, as some servers give them out as keys."""
    return _UUID.fullmatch(value) is not None


def is_ordinary(value: str) -> bool:
    """Whether only its position could make the value a secret: a word, a name, a number, a path, an identifier."""
    return (
        value.lower() in ORDINARY_WORDS
        or is_masked(value)
        or is_number(value)
        or is_plain(value)
        or is_reference(value)
        or is_name(value)
        or is_identifier(value)
    )


def looks_secret(value: str) -> bool:
    """Whether the value mixes kinds of characters as a password does, and is nothing ordinary."""
    if len(value) < 6 or is_ordinary(value) or value.isspace():
        return False
    kinds = (value.upper() != value) + (value.lower() != value) + (_DIGIT.search(value) is not None)
    return kinds >= 2 or _PUNCTUATION.search(value) is not None


def looks_random(value: str) -> bool:
    """Whether the value has the length, the characters and the entropy of a generated key (hexadecimal included)."""
    if len(value) < 16 or len(value) > 8192 or _RANDOM.fullmatch(value) is None or _UUID.fullmatch(value):
        return False
    if is_name(value) or is_plain(value) or is_reference(value):
        return False
    if not any(c.isdigit() for c in value):
        return False
    upper = value.isalnum() and value.isupper()  # capitals and digits in a row are no words
    if not upper and sum(len(piece) for piece in _WORD_PIECES.findall(value)) > len(value) * 0.7:
        return len(value) >= 40 and entropy(value) >= 4.5  # mostly words: an identifier of some program
    return entropy(value) >= 3.0


def entropy(value: str) -> float:
    """Shannon's entropy in bits a character."""
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in Counter(value).values())


def decoded(value: str) -> str | None:
    """The text that `value` is the base64 of, None where it is none (or is not text)."""
    compact = "".join(value.split())
    if len(compact) < 4 or len(compact) % 4 == 1:
        return None
    try:
        raw = base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True)
        text = raw.decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    return text if text.isprintable() or all(c.isprintable() or c in "\n\r\t" for c in text) else None


def encoded(value: str) -> str:
    """The base64 of `value`."""
    return base64.b64encode(value.encode("utf-8", "surrogatepass")).decode("ascii")
