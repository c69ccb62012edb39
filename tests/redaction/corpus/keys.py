"""Keys, tokens, cookies and hashes that no vendor marks."""

from tests.redaction.corpus.making import (
    ALNUM,
    HEX,
    URLSAFE,
    Kind,
    annotation,
    args,
    b64,
    config_map,
    custom,
    env,
    helm_values,
    jwt,
    of,
    pem,
    pod,
    secret,
)

KEYS: tuple[Kind, ...] = (
    Kind(
        name="bearer token",
        make=of(URLSAFE, 40),
        texts=(
            "request headers: Authorization: Bearer {}",
            '{"headers":{"authorization":["Bearer {}"]},"status":401}',
            "curl -H 'Authorization: Bearer {}' https://api returns 403",
        ),
        manifests=(
            env("API_BEARER_TOKEN"),
            args("--header=Authorization: Bearer {}"),
            lambda value: pod(
                {"livenessProbe": {"httpGet": {"httpHeaders": [{"name": "Authorization", "value": f"Bearer {value}"}]}}}
            ),
        ),
    ),
    Kind(
        name="basic credentials",
        make=lambda random: b64(f"admin:{of(ALNUM, 12)(random)}"),
        texts=("Authorization: Basic {}", "proxy answered 407 to Proxy-Authorization: Basic {}"),
        manifests=(args("--header", "Authorization: Basic {}"), config_map("headers", "Authorization: Basic {}")),
    ),
    Kind(
        name="query token",
        make=of(ALNUM, 24),
        texts=("GET /hook?token={}&event=push 200 3ms", "why does https://ci.example.com/job?api_key={} answer 403?"),
        manifests=(annotation("example.com/hook", "https://ci.example.com/hook?token={}"),),
    ),
    Kind(
        name="RSA private key",
        make=pem("RSA "),
        texts=("{}", "parsing key:\n{}\nfailed: asn1 error"),
        manifests=(
            secret("tls.key"),
            secret("tls.key", "{}\n", plain=True),
            config_map("key.pem", "{}\n"),
            custom("tls", "key"),
        ),
    ),
    Kind(
        name="PKCS8 private key in one line",
        make=lambda random: pem("")(random).replace("\n", "\\n"),
        texts=('{"level":"debug","key":"{}"}', "my key {} is refused"),
        manifests=(env("SIGNING_KEY"), config_map("k.json", '{"tls": {"pem": "{}"}}')),
    ),
    Kind(
        name="OpenSSH private key",
        make=pem("OPENSSH "),
        texts=("Load key:\n{}\ninvalid format",),
        manifests=(
            secret("sshPrivateKey"),
            config_map("id_ed25519", "{}\n"),
            helm_values("git:\n  sshKey: |\n    {}\n"),
        ),
    ),
    Kind(
        name="kubeconfig client key",
        make=lambda random: b64(pem("EC ")(random)),
        texts=("users:\n- name: admin\n  user:\n    client-key-data: {}\n",),
        manifests=(
            config_map(
                "kubeconfig", "apiVersion: v1\nkind: Config\nusers:\n- name: a\n  user:\n    client-key-data: {}\n"
            ),
        ),
    ),
    Kind(
        name="kubeconfig token",
        make=of(ALNUM, 32),
        texts=("users:\n- name: admin\n  user:\n    token: {}\n",),
        manifests=(config_map("kubeconfig", "kind: Config\nusers:\n- name: a\n  user:\n    token: {}\n"),),
    ),
    Kind(
        name="registry credentials",
        make=lambda random: b64(f"robot:{of(ALNUM, 20)(random)}"),
        texts=('{"auths":{"ghcr.io":{"auth":"{}"}}}',),
        manifests=(
            secret(".dockerconfigjson", '{"auths":{"ghcr.io":{"username":"robot","auth":"{}"}}}'),
            config_map("config.json", '{"auths": {"ghcr.io": {"auth": "{}"}}}'),
            lambda value: (
                custom("registry")("") | {"spec": {"auths": {"ghcr.io": {"auth": value, "email": "a@example.com"}}}}
            ),
        ),
    ),
    Kind(
        name="JSON web token",
        make=jwt,
        texts=("token {} rejected: signature is invalid", "received {}", "why is {} not accepted?"),
        manifests=(env("JWT"), args("{}"), annotation("example.com/session"), custom("session")),
    ),
    Kind(
        name="bcrypt hash",
        make=of(ALNUM + "./", 53, "$2" + "a$10$"),
        texts=("admin.password: {}", "argocd account admin has {}"),
        manifests=(config_map("admin.password"), secret("admin.password"), custom("users", "hash")),
    ),
    Kind(
        name="htpasswd",
        make=of(ALNUM + "./", 22, "$ap" + "r1$abcdefgh$"),
        texts=("htpasswd line admin:{} does not match",),
        manifests=(config_map("auth", "admin:{}\n"), secret("auth", "admin:{}\n")),
    ),
    Kind(
        name="cookie",
        make=of(URLSAFE, 43),
        texts=("Cookie: theme=dark; session={}; lang=en", "< Set-Cookie: argocd.token={}; Path=/; HttpOnly; Secure"),
        manifests=(args("--cookie-secret={}"), env("OAUTH2_PROXY_COOKIE_SECRET"), env("RABBITMQ_ERLANG_COOKIE")),
    ),
    Kind(
        name="token in a JSON log",
        make=of(ALNUM, 32),
        texts=(
            '{"time":"2026-11-21T09:00:00Z","level":"info","msg":"login","token":"{}","user":"alice"}',
            '{"msg":"{\\"refresh_token\\":\\"{}\\",\\"expires_in\\":3600}"}',
            "access_token={}&token_type=Bearer&expires_in=3600",
        ),
        manifests=(env("REFRESH_TOKEN"), config_map("t.json", '{"refreshToken": "{}", "ttl": 3600}')),
    ),
    Kind(
        name="client secret",
        make=of(ALNUM + "~._-", 40, suffix="Z"),
        texts=("oauth2: client_id=shop client_secret={} grant_type=client_credentials", "clientSecret: {}"),
        manifests=(
            custom("oidc", "clientSecret"),
            env("OIDC_CLIENT_SECRET"),
            config_map("oidc.config", "name: Keycloak\nclientID: argocd\nclientSecret: {}\n"),
        ),
    ),
    Kind(
        name="API key",
        make=of(HEX, 32),
        texts=("X-Api-Key: {}", "datadog api key {} is invalid", "DD_API_KEY={}"),
        manifests=(env("DD_API_KEY"), custom("datadog", "apiKey"), args("--api-key", "{}")),
    ),
    Kind(
        name="encryption key",
        make=of(ALNUM + "+/", 43, suffix="="),
        texts=("ENCRYPTION_KEY={}", "cannot decrypt with encryptionKey: {}"),
        manifests=(env("ENCRYPTION_KEY"), env("DJANGO_SECRET_KEY"), custom("storage", "encryptionKey"), env("APP_KEY")),
    ),
    Kind(
        name="unseal key",
        make=of(ALNUM + "+/", 43, suffix="="),
        texts=("Unseal Key 1: {}", "Recovery Key 3: {}", "vault operator unseal {} says 400", "VAULT_UNSEAL_KEY={}"),
        manifests=(env("VAULT_UNSEAL_KEY"), config_map("init.txt", "Unseal Key 1: {}\nUnseal Key 2: x\n")),
    ),
    Kind(
        name="SAML response",
        make=lambda random: b64(f"<samlp:Response ID='{of(HEX, 32)(random)}'>{of(ALNUM, 90)(random)}</samlp:Response>"),
        texts=("POST /acs SAMLResponse={}&RelayState=shop", "SAMLResponse={}", "GET /acs?SAMLResponse={} 302"),
        manifests=(config_map("access.log", "POST /acs SAMLResponse={}\n"),),
    ),
)
