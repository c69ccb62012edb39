"""Lists of words. Owns no rule: what each list means for a name or a value is said where it is used."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FUNCTION_WORDS = _words(
    """
    a also always an and are as at be been being but by can cannot could did do does doesn't don't for from had has
    hasn't have if in into is isn't it its may must need needs not of on only or shall should than that the their
    then there this to via was wasn't were when which while who will with won't would you your
    """
)
"""Words that go on with a sentence: a password is no "must not be empty"."""

STATUS_WORDS = FUNCTION_WORDS | _words(
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

COMMON_VALUES = _words(
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

SECRET_KEY_QUALIFIERS = _words(
    """
    access account admin aes api app application auth cipher client consumer crypto decryption deploy developer
    encrypt encryption gpg hmac ingest ingestion instrumentation integration licence license master pgp recovery
    root rsa secret service session shared sign signing ssh storage subscription unseal webhook write
    """
)
"""`<word>_KEY` of these opens something; `routing_key` does not."""

HARMLESS_KEY_QUALIFIERS = _words(
    """
    annotation cache column composite config dedup etcd foreign group hash host hosts idempotency index join json
    label lock map message natural object partition primary property public range redis registry row s3
    shard sharding sort topology trusted unique yaml
    """
)
"""`<word>_KEY` of these opens nothing, however random it looks."""

SECRET_QUALIFIERS = _words(
    """
    access api app client consumer cookie database db django encryption flask hmac jwt master nextauth oauth oauth2
    rails session shared signing token totp user webhook
    """
)
"""`clientSecret: x` is the secret itself, `existingSecret: x` the name of a Secret object."""

PAGE_TOKEN_QUALIFIERS = _words(
    """
    change continuation continue cursor next page prev previous resume sync
    """
)
"""`<word>Token` of these continues a list."""

REFERENCE_SUFFIXES = _words(
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

SETTING_PREFIXES = _words(
    """
    allow automount checksum count disable disabled enable enabled generate has ignore is max min no num public
    require required requires sha256sum skip total use uses using validate verify with without
    """
)
"""A first word that makes a switch or a sum of what follows: `checksum/secret`, `requirePassword`."""

NEUTRAL_SUFFIXES = _words(
    """
    b64 backup base64 content contents current data decoded default dev development encoded literal main new old
    override plain plaintext prev previous primary prod production qa raw ro rw secondary stage staging str string
    test text uat val value
    """
)
"""Said at the end of a name without changing what it is: `PASSWORD_PROD`."""

PASSWORD_TRANSLATIONS = _words(
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

ONE_TIME_CODE_QUALIFIERS = _words("2fa backup mfa otp recovery totp verification")
"""`<word> code` and `<word> seed` of these log somebody in."""

VAULT_WORDS = _words("approle avp bao openbao vault")
"""`<word>_SECRET_ID` of these is the secret of an AppRole, `secretId` elsewhere the name of a secret."""
