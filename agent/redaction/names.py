"""What a name promises about its value: `DB_PASSWORD` holds a secret, `PASSWORD_FILE` and `secretName` refer to one.

Owns the reading of names of environment variables, mapping keys, flags, headers and query parameters.
"""

import re
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache


def _word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


SECRET_KEY_QUALIFIERS = _word_set(
    """
    access account admin aes api app application auth cipher client consumer crypto decryption deploy developer
    encrypt encryption gpg hmac ingest ingestion instrumentation integration licence license master pgp recovery
    root rsa secret service session shared sign signing ssh storage subscription unseal webhook write
    """
)
"""`<word>_KEY` of these opens something; `routing_key` does not."""

HARMLESS_KEY_QUALIFIERS = _word_set(
    """
    annotation cache column composite config dedup etcd foreign group hash host hosts idempotency index join json
    label lock map message natural object partition primary property public range redis registry row s3
    shard sharding sort topology trusted unique yaml
    """
)
"""`<word>_KEY` of these opens nothing, however random it looks."""

SECRET_QUALIFIERS = _word_set(
    """
    access api app client consumer cookie database db django encryption flask hmac jwt master nextauth oauth oauth2
    rails session shared signing token totp user webhook
    """
)
"""`clientSecret: x` is the secret itself, `existingSecret: x` the name of a Secret object."""

PAGE_TOKEN_QUALIFIERS = _word_set(
    """
    change continuation continue cursor next page prev previous resume sync
    """
)
"""`<word>Token` of these continues a list."""

REFERENCE_SUFFIXES = _word_set(
    """
    account accounts address age alg algorithm allowed annotation annotations args at audience audiences backend bucket
    budget bytes ca cert certificate chain change changed checksum claim claims class client cmd column command
    complexity condition conditions config configs configuration configured controller count counts created cron crt
    days digest dir directory disable disabled driver duration email enable enabled encoder encoders endpoint endpoints
    engine entries entropy entry env error errors exists expiration expire expired expires expiring expiry failure
    failures field fields file filename files fingerprint folder format from function generation grace group groups
    hash hasher hashers hashes header headers helper hint host hosts hours id ids image images index interval issuer
    items keyring kind kinds label labels leeway len length lifetime limit limits list location manager map max maximum
    message method methods min minimum minutes missing mode module mount name names namespace namespaces on operation
    operator optional options owner param parameter path paths pattern period phase plugin policies policy port prefix
    present prompt property provider providers pub public queue rate reason ref reference references refs regex request
    requests required reset resource resources review reviews revision role roles rotate rotation schedule scope scopes
    seconds secs selector server service set settings size source sources state status store strategy strength suffix
    sum supported table tag tags template templates thumbprint time timeout timestamp topic total ttl type types
    updated uri uris url urls usage used user username valid validated validation vars verified version volume
    """
)
"""A last word that turns a name into one of a setting or a pointer: `PASSWORD_FILE`, `tokenTTL`."""

SETTING_PREFIXES = _word_set(
    """
    allow automount checksum count disable disabled enable enabled generate has ignore is max min no num public
    require required requires sha256sum skip total use uses using validate verify with without
    """
)
"""A first word that makes a switch or a sum of what follows: `checksum/secret`, `requirePassword`."""

NEUTRAL_SUFFIXES = _word_set(
    """
    b64 backup base64 content contents current data decoded default dev development encoded literal main new old
    override plain plaintext prev previous primary prod production qa raw ro rw secondary stage staging str string
    test text uat val value
    """
)
"""Last words that do not change the meaning of a name: `PASSWORD_PROD`."""

PASSWORD_TRANSLATIONS = _word_set(
    """
    adgangskode contrasena contraseña geslo hasło haslo heslo jelszó jelszo kennwort kodeord lozinka lösenord losenord
    parolă parola parool passord passwort salasana senha sifre slaptažodis wachtwoord zugangswort şifre κωδικός
    лозинка парола пароль סיסמה 口令 密码 密碼 パスワード 비밀번호 암호
    """
)
"""What a password is called in other languages, in one word. Languages that join words put it last."""

PASSWORD_PHRASES = {
    **dict.fromkeys(("mot de passe", "palavra passe", "parola d ordine", "kata sandi", "mật khẩu"), "password"),
    **dict.fromkeys(("كلمة المرور", "كلمة السر", "رمز عبور"), "password"),
}
"""The same in several words."""

ONE_TIME_CODE_QUALIFIERS = _word_set("2fa backup mfa otp recovery totp verification")
"""`<word> code` and `<word> seed` of these log somebody in."""

VAULT_WORDS = _word_set("approle avp bao openbao vault")
"""`<word>_SECRET_ID` of these is the secret of an AppRole, `secretId` elsewhere the name of a secret."""


class HintStrength(IntEnum):
    """How strongly a name suggests a secret, and so how much its value must look like one to be hidden."""

    WEAK = 1
    """It may be one (`routing_key`, `auth`): only a value that looks random is hidden."""
    MEDIUM = 2
    """It is one or refers to one (`existingSecret`, `passwordForAdmin`): a value that looks like a name stays."""
    STRONG = 3
    """It is one: every value is hidden that is not clearly something else (a boolean, a path, a reference)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameHint:
    """`what` is the short word for the placeholder."""

    what: str
    strength: HintStrength


# What a one-word secret is called, as the last word of its name. `pass` and `pw` count as whole words only: compass.
_WHOLE = {
    **dict.fromkeys(
        ("pass", "pw", "psw", "psk", "passwords", "rootpw", "bindpw", "requirepass", "masterauth"), "password"
    ),
    **dict.fromkeys(
        ("dbpass", "dbpw", "userpass", "mypass", "rootpass", "smtppass", "adminpass", "sshpass"), "password"
    ),
    **dict.fromkeys(("passe", "otp", "totp"), "password"),
    **dict.fromkeys(("jwt", "bearer"), "token"),
    **dict.fromkeys(("dsn", "connstr", "sas"), "connection-string"),
    **dict.fromkeys(("mnemonic",), "secret"),
    **dict.fromkeys(("authorization",), "authorization"),
}
_ENDINGS = {
    **dict.fromkeys(("password", "passwd", "passphrase", "passcode", "pwd"), "password"),
    **dict.fromkeys(sorted(PASSWORD_TRANSLATIONS), "password"),
    "token": "token",
    "secret": "secret",
    **dict.fromkeys(("apikey", "accesskey", "secretkey", "authkey"), "key"),
    **dict.fromkeys(("encryptionkey", "signingkey", "masterkey", "accountkey", "sharedkey", "subscriptionkey"), "key"),
    **dict.fromkeys(("userkey",), "key"),
    **dict.fromkeys(("privatekey",), "private-key"),
    **dict.fromkeys(("credential", "credentials"), "credential"),
    **dict.fromkeys(("connectionstring",), "connection-string"),
}
_MEDIUM_WHOLE = {
    **dict.fromkeys(("credential", "credentials", "creds", "cred", "kubeconfig"), "credential"),
    **dict.fromkeys(("tokens", "pat", "apikeys"), "token"),
    **dict.fromkeys(("secrets",), "secret"),
    **dict.fromkeys(("cookie", "cookies"), "cookie"),
    **dict.fromkeys(("community", "keytab"), "secret"),
    "pin": "pin",
    "hmac": "key",
}
_WEAK_WHOLE = {
    "auth": "credential",
    "key": "key",
    "keys": "key",
    "salt": "secret",
    "seed": "secret",
    **dict.fromkeys(("signature", "sig"), "signature"),
    **dict.fromkeys(("sid", "session", "sessionid", "jsessionid", "phpsessid", "sessid"), "cookie"),
    "webhook": "webhook",
}
_LOWER = r"[^\W\d_A-Z]"  # and letters without a case
_FLATTENED = re.compile(
    r"(?<![^\W_])(?i:b64|oauth2|s3|2fa|sha256sum)(?![^\W_])|(?i:base64)(?![^\W_])"
    rf"|[A-Z]+(?!{_LOWER})|[A-Z]?{_LOWER}+|\d+"
)


@lru_cache(maxsize=8192)
def name_hint(name: str) -> NameHint | None:
    """What `name` promises, None where its value is no secret.

    Reads camelCase, snake_case, kebab-case and dotted names; of a path (`nginx.io/auth-token`, `auth.password`) the
    last step that suggests a secret.
    """
    words = _words(name)
    while len(words) > 1 and (words[-1] in NEUTRAL_SUFFIXES or words[-1].isdigit()):
        words.pop()
    if not words or words[0] in SETTING_PREFIXES:
        return None
    if words[-3:] == ["private", "key", "id"]:
        return NameHint(what="key", strength=HintStrength.MEDIUM)
    if words[-2:] == ["secret", "id"]:
        return NameHint(
            what="secret-id", strength=HintStrength.MEDIUM if VAULT_WORDS.isdisjoint(words) else HintStrength.STRONG
        )
    if words[-1] in REFERENCE_SUFFIXES:
        return None
    return _by_last_words(words, name) or _by_any_word(words)


def _words(name: str) -> list[str]:
    if len(name) > 256:
        return []
    return [word.lower() for word in _FLATTENED.findall(name)]


def _by_last_words(words: list[str], name: str) -> NameHint | None:
    last = words[-1]
    before = words[-2] if len(words) > 1 else ""
    environment = name.isupper()
    if last == "token" and before in PAGE_TOKEN_QUALIFIERS:
        return None
    if last == "secret" and not environment and before not in SECRET_QUALIFIERS:
        return NameHint(what="secret", strength=HintStrength.MEDIUM)
    if last == "key":
        return _key(before, words, environment=environment)
    if (before, last) in {("connection", "string"), ("conn", "str"), ("connect", "string")}:
        return NameHint(what="connection-string", strength=HintStrength.STRONG)
    if before == "pass" and last in ("phrase", "word", "code"):
        return NameHint(what="password", strength=HintStrength.STRONG)
    if last in ("seed", "code", "codes") and before in ONE_TIME_CODE_QUALIFIERS:
        return NameHint(what="secret", strength=HintStrength.STRONG)
    if last in _MEDIUM_WHOLE:
        return NameHint(what=_MEDIUM_WHOLE[last], strength=HintStrength.MEDIUM)
    if last in _WEAK_WHOLE:
        return NameHint(what=_WEAK_WHOLE[last], strength=HintStrength.WEAK)
    what = _WHOLE.get(last) or next((what for ending, what in _ENDINGS.items() if last.endswith(ending)), "")
    what = what or PASSWORD_PHRASES.get(" ".join(words[-3:])) or PASSWORD_PHRASES.get(f"{before} {last}")
    return NameHint(what=what, strength=HintStrength.STRONG) if what else None


def _key(before: str, words: list[str], *, environment: bool) -> NameHint | None:
    if len(words) == 1:
        return NameHint(what="key", strength=HintStrength.WEAK)
    if before in HARMLESS_KEY_QUALIFIERS:
        return None
    if before == "private":
        return NameHint(what="private-key", strength=HintStrength.STRONG)
    if before in SECRET_KEY_QUALIFIERS:
        # `secretKey: db-password` of an ExternalSecret names a key; SECRET_KEY of a container is one.
        certain = environment or before != "secret"
        return NameHint(what="key", strength=HintStrength.STRONG if certain else HintStrength.MEDIUM)
    if any(before.endswith(ending) for ending in ("password", "token", "secret", "credentials")):
        return NameHint(what=_ENDINGS.get(before, "key"), strength=HintStrength.MEDIUM)
    return NameHint(what="key", strength=HintStrength.WEAK)


def _by_any_word(words: list[str]) -> NameHint | None:
    """`PASSWORD_FOR_REPLICA`, `API_KEY_STRIPE`: the word is there, what follows is no reference."""
    for first, second in zip(words, [*words[1:], ""], strict=True):
        if first in _ENDINGS:
            return NameHint(what=_ENDINGS[first], strength=HintStrength.MEDIUM)
        if second == "key" and first in SECRET_KEY_QUALIFIERS:
            return NameHint(what="key", strength=HintStrength.MEDIUM)
    return None
