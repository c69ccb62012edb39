"""Ordinary values that stand where secrets stand: they must stay readable."""

from random import Random

from tests.redaction.corpus.making import (
    ALNUM,
    HEX,
    Kind,
    Make,
    annotation,
    args,
    b64,
    config_map,
    custom,
    env,
    of,
    pod,
    reference,
)


def uuid(random: Random) -> str:
    return "-".join("".join(random.choice(HEX) for _ in range(size)) for size in (8, 4, 4, 4, 12))


def hexadecimal(length: int, prefix: str = "") -> Make:
    return lambda random: prefix + "".join(random.choice(HEX) for _ in range(length))


def one_of(*values: str) -> Make:
    return lambda random: random.choice(values)


def object_name(random: Random) -> str:
    base = random.choice(["db-credentials", "postgres-password", "api-token", "tls-secret", "orders", "auth-service"])
    return random.choice(
        [
            base,
            f"{base}-v{random.randint(2, 9)}",
            f"{base}-{of(HEX, 10)(random)}-x2x4z",
            f"{base}-{random.randint(0, 9)}",
        ]
    )


def ca_bundle(random: Random) -> str:
    body = "\n".join("".join(random.choice(ALNUM + "+/") for _ in range(64)) for _ in range(12))
    return b64(f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")


ORDINARY: tuple[Kind, ...] = (
    Kind(
        name="image with digest",
        make=lambda random: f"ghcr.io/shop/auth-api@{hexadecimal(64, 'sha256:')(random)}",
        texts=(
            "Successfully pulled image {} in 1.2s",
            "Failed to pull image {}: unauthorized: authentication required",
        ),
        manifests=(lambda value: pod({"image": value}), annotation("example.com/secret-sync-image"), custom("image")),
    ),
    Kind(
        name="UID",
        make=uuid,
        texts=("request {} took 12ms", "pod api_shop({}) restarted", "trace_id={} token refreshed"),
        manifests=(lambda value: pod({}, uid=value), annotation("example.com/run"), custom("tenantID")),
    ),
    Kind(
        name="commit",
        make=hexadecimal(40),
        texts=("synced to {}", "comparing with revision {} of main", "commit {}: rotate the token"),
        manifests=(annotation("example.com/revision"), custom("targetRevision"), env("GIT_COMMIT")),
    ),
    Kind(
        name="resource name",
        make=object_name,
        texts=(
            'secret "{}" not found',
            "couldn't find key password in Secret shop/{}",
            "why is the secret {} OutOfSync?",
            'Error: configmaps "{}" is forbidden',
        ),
        manifests=(
            reference("secretKeyRef", "name"),
            lambda value: pod({"envFrom": [{"secretRef": {"name": value}}]}),
            custom("existingSecret"),
            custom("passwordSecretRef", "name"),
            annotation("nginx.ingress.kubernetes.io/auth-secret"),
            args("--secret-name={}"),
        ),
    ),
    Kind(
        name="key of a Secret",
        make=one_of("password", "postgres-password", "tls.key", "access-key-id", "admin-password", "client_secret"),
        texts=("references non-existent secret key: {}", 'key "{}" not found in secret "db"'),
        manifests=(reference("secretKeyRef", "key"), custom("passwordKey"), custom("secretKeys", "adminPasswordKey")),
    ),
    Kind(
        name="checksum",
        make=hexadecimal(64),
        texts=("checksum {} does not match", "sha256:{} already exists", "layer {} pulled"),
        manifests=(annotation("checksum/secret"), annotation("checksum/config"), annotation("example.com/secret-hash")),
    ),
    Kind(
        name="resourceVersion",
        make=lambda random: str(random.randint(10**5, 10**9)),
        texts=("watch from resourceVersion {} expired", "too old resource version: {}"),
        manifests=(lambda value: pod({}, resourceVersion=value), annotation("example.com/secret-version")),
    ),
    Kind(
        name="CA bundle",
        make=ca_bundle,
        texts=("caBundle: {}", "certificate-authority-data: {}"),
        manifests=(custom("webhooks", "caBundle"), config_map("ca.crt.b64"), annotation("cert.example.com/ca")),
    ),
    Kind(
        name="duration",
        make=one_of("3600", "24h", "15m30s", "300s", "1h0m0s", "7d", "500ms"),
        texts=("token ttl={} refresh", "TOKEN_TTL={}", "session timeout: {}"),
        manifests=(env("TOKEN_TTL"), env("SESSION_TIMEOUT"), args("--token-ttl={}"), custom("tokenExpirationSeconds")),
    ),
    Kind(
        name="URL",
        make=one_of(
            "https://keycloak.example.com/realms/shop/protocol/openid-connect/token",
            "https://github.com/argoproj/argocd-example-apps.git",
            "http://api.shop.svc.cluster.local:8080/healthz?verbose=true",
            "postgres://postgres.shop.svc:5432/shop?sslmode=disable",
            "oci://registry.example.com:5000/charts/auth",
            "https://example.com:8443/path?email=a@example.com",
        ),
        texts=("GET {} 200", 'Readiness probe failed: Get "{}": context deadline exceeded', "can it reach {}?"),
        manifests=(env("TOKEN_URL"), env("AUTH_ENDPOINT"), custom("repoURL"), annotation("example.com/auth-url")),
    ),
    Kind(
        name="path of a secret",
        make=one_of(
            "/run/secrets/db-password", "/var/run/secrets/kubernetes.io/serviceaccount/token", "/etc/tls/tls.key"
        ),
        texts=("open {}: no such file or directory", "DB_PASSWORD_FILE={}", "--tls-private-key-file={}"),
        manifests=(
            env("DB_PASSWORD_FILE"),
            args("--token-file", "{}"),
            lambda value: pod({"volumeMounts": [{"mountPath": value}]}),
        ),
    ),
    Kind(
        name="placeholder",
        make=one_of(
            "${DB_PASSWORD}",
            "$(DB_PASSWORD)",
            "{{ .Values.password }}",
            "********",
            "<redacted>",
            "$oidc.main.clientSecret",
        ),
        texts=("password={}", "password: {}", "the manifest says clientSecret: {}"),
        manifests=(
            env("DB_PASSWORD"),
            custom("password"),
            config_map("c.yaml", "password: {}\n"),
            args("--password={}"),
        ),
    ),
    Kind(
        name="message about a secret",
        make=one_of(
            'password authentication failed for user "app"',
            "invalid token: signature mismatch",
            "token has expired",
            "Access denied for user 'app'@'10.0.0.3' (using password: YES)",
            "Unable to retrieve some image pull secrets (regcred)",
            "the token expired two hours ago",
            "Authorization header missing",
            "password must be at least 12 characters long",
            "failed to refresh credentials: context deadline exceeded",
        ),
        texts=("{}", 'level=error msg="{}"', "what does '{}' mean?"),
        manifests=(custom("status", "message"), annotation("example.com/last-error")),
    ),
    Kind(
        name="log line",
        make=one_of(
            "INFO com.shop.auth.TokenService - issued token for user 1234 in 3ms",
            "DEBUG cache key user:1234:profile hit",
            'level=info msg="processed batch" size=100 key=orders.created partition_key=order_id',
            "I1121 09:00:00.000000 1 leaderelection.go:250] attempting to acquire lease kube-system/api-token-lock...",
            '{"level":"info","msg":"usage","prompt_tokens":120,"completion_tokens":30,"max_tokens":4096}',
            "    token = self._issue_token(user)",
            "at com.shop.security.PasswordEncoder.matches(PasswordEncoder.java:42)",
            "Started SecretsStoreCsiDriver v1.4.1 in 2.3 s",
        ),
        texts=("{}",),
        manifests=(config_map("example.log"),),
    ),
    Kind(
        name="ARN of a secret",
        make=lambda random: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-" + of(ALNUM, 6)(random),
        texts=("not authorized to read {}", "AccessDenied: {}"),
        manifests=(env("RESOURCE_ARN"), annotation("example.com/source"), custom("remoteRef")),
    ),
    Kind(
        name="base64 of plain configuration",
        make=lambda random: b64(f"server:\n  port: {random.randint(1024, 65535)}\n  host: shop\nlogLevel: info\n"),
        texts=("config {}", "echo {} | base64 -d"),
        manifests=(config_map("blob"), env("CONFIG_B64"), annotation("example.com/config")),
    ),
    Kind(
        name="ciphertext",
        make=lambda random: random.choice(
            [
                "AgB" + of(ALNUM + "+/", 400)(random),
                f"ENC[AES256_GCM,data:{of(ALNUM, 16)(random)},iv:{of(ALNUM, 12)(random)},type:str]",
                "vault:v1:" + of(ALNUM + "+/", 60)(random),
            ]
        ),
        texts=("encryptedData:\n  password: {}", "password: {}"),
        manifests=(custom("encryptedData", "password"), config_map("values.yaml", "password: {}\n"), custom("token")),
    ),
    Kind(
        name="schedule of a secret",
        make=one_of("0 3 * * *", "*/15 * * * *", "@daily"),
        texts=("token rotation at {}",),
        manifests=(env("ROTATE_SECRET_SCHEDULE"), env("TOKEN_CRON"), custom("passwordRotationSchedule")),
    ),
    Kind(
        name="count",
        make=lambda random: str(random.randint(1, 999)),
        texts=("pass={} fail=3", "tests: pass: {} fail: 0"),
        manifests=(config_map("report.txt", "pass={} fail=3\n"),),
    ),
    Kind(
        name="setting of a secret",
        make=one_of("RS256", "true", "basic", "vault", "opaque", "required"),
        texts=("token_type={}", "password_policy: {}", "secret_store={}"),
        manifests=(
            env("TOKEN_ALGORITHM"),
            env("SECRETS_BACKEND"),
            env("REQUIRE_PASSWORD"),
            custom("auth", "tokenType"),
        ),
    ),
    Kind(
        name="public key",
        make=lambda random: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + of(ALNUM, 43)(random) + " ops@example.com",
        texts=("accepted {}",),
        manifests=(config_map("authorized_keys"), custom("sshPublicKey"), env("SSH_PUBLIC_KEY")),
    ),
    Kind(
        name="time, quantity, address",
        make=one_of("2026-11-21T09:00:00Z", "512Mi", "10.96.0.1", "500m", "8080", "v1.31.2", "10.0.0.0/16"),
        texts=("at {} the session ended", "key={} auth=ok"),
        manifests=(custom("value"), env("AUTH_ADDRESS"), annotation("example.com/token-issued")),
    ),
)
