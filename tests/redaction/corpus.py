"""A corpus to measure redaction by: secrets of many kinds planted in manifests, events, logs and questions, and ordinary
values beside them that must stay readable.

Everything is made from a seed at test time, and telling prefixes are joined from pieces, so that no scanner of
repositories takes this file for a leak. To add a kind, add one line to KINDS or ORDINARY.
"""

import base64
import json
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Literal
from urllib.parse import quote

from agent.context.model import ContainerLog, Context, Event, LogLine
from agent.target import Target

type Place = Literal["manifest", "event", "log", "question"]
type Make = Callable[[Random], str]
type Manifest = dict[str, Any]

PLACES: tuple[Place, ...] = ("manifest", "event", "log", "question")
ALNUM = string.ascii_letters + string.digits
URLSAFE = ALNUM + "-_"
HEX = "0123456789abcdef"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """`make` makes a value; a carrier puts it into a text, or for "manifest" into a text or an object."""

    name: str
    make: Make
    texts: tuple[str, ...]
    """Templates with {} for the value: event messages, log lines and questions."""
    manifests: tuple[Callable[[str], Manifest], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Planted:
    """One value in one place. `needles` are the texts that give it away."""

    kind: str
    place: Place
    value: str
    needles: tuple[str, ...]
    context: Context
    question: str


def of(alphabet: str, length: int, prefix: str = "", suffix: str = "") -> Make:
    """Random signs, a letter and a digit among them as generators of secrets guarantee."""
    letters = [sign for sign in alphabet if sign.isalpha()]

    def make(random: Random) -> str:
        signs = [random.choice(alphabet) for _ in range(length)]
        if length >= 8:
            signs[1], signs[3], signs[5] = random.choice(letters), random.choice(string.digits), random.choice(letters)
        return prefix + "".join(signs) + suffix

    return make


def password(random: Random) -> str:
    """As people and generators write them."""
    word = random.choice(["hunter", "Winter", "correct", "Tr0ub4dor", "monkey", "S3cur3", "letme1n", "Zebra"])
    styles = [
        f"{word}{random.randint(2, 9999)}",
        f"{word}{random.choice('!$%^*?_-.')}{random.randint(10, 99)}",
        "".join(random.choice(ALNUM) for _ in range(random.randint(10, 32))) + "7b",
        "".join(random.choice(ALNUM + "!$^*-_.~+") for _ in range(18)) + "x9",
        "".join(random.choice(HEX) for _ in range(32)),
        "-".join(random.choice(["apple", "Stone", "river7", "cloud", "Tiger3"]) for _ in range(3)) + "42",
    ]
    return random.choice(styles)


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def jwt(random: Random) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    claims = {"iss": "kubernetes/serviceaccount", "sub": f"system:serviceaccount:shop:api-{random.randint(1, 99)}"}
    return ".".join([part({"alg": "RS256", "typ": "JWT"}), part(claims), of(URLSAFE, 43)(random)])


def pem(label: str) -> Make:
    def make(random: Random) -> str:
        body = ["".join(random.choice(ALNUM + "+/") for _ in range(64)) for _ in range(random.randint(3, 26))]
        edge = "PRIVATE KEY" + "-----"
        return "\n".join([f"-----BEGIN {label}{edge}", *body, of(ALNUM, 22)(random) + "==", f"-----END {label}{edge}"])

    return make


def pod(container: Mapping[str, Any], **metadata: Any) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "api-7d9f8b6c5d-x2x4z", "namespace": "shop", **metadata},
        "spec": {"containers": [{"name": "api", "image": "ghcr.io/shop/api:1.4.2", **container}]},
    }


def env(name: str) -> Callable[[str], Manifest]:
    return lambda value: pod({"env": [{"name": "LOG_LEVEL", "value": "info"}, {"name": name, "value": value}]})


def args(*template: str) -> Callable[[str], Manifest]:
    return lambda value: pod({"args": [item.replace("{}", value) for item in template]})


def command(*template: str) -> Callable[[str], Manifest]:
    return lambda value: pod({"command": [item.replace("{}", value) for item in template]})


def annotation(name: str, template: str = "{}") -> Callable[[str], Manifest]:
    return lambda value: pod({}, annotations={name: template.replace("{}", value)})


def config_map(key: str, template: str = "{}") -> Callable[[str], Manifest]:
    return lambda value: {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "api-config", "namespace": "shop"},
        "data": {"LOG_LEVEL": "info", key: template.replace("{}", value)},
    }


def custom(*path: str) -> Callable[[str], Manifest]:
    def build(value: str) -> Manifest:
        node: Any = value
        for step in reversed(path):
            node = {step: node, "enabled": True}
        return {"apiVersion": "db.example.com/v1", "kind": "Database", "metadata": {"name": "orders"}, "spec": node}

    return build


def helm(name: str) -> Callable[[str], Manifest]:
    return lambda value: {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {"source": {"chart": "shop", "helm": {"parameters": [{"name": name, "value": value}]}}},
    }


def helm_values(template: str) -> Callable[[str], Manifest]:
    return lambda value: {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {"source": {"chart": "shop", "helm": {"values": template.replace("{}", value)}}},
    }


def secret(key: str, template: str = "{}", *, plain: bool = False) -> Callable[[str], Manifest]:
    def build(value: str) -> Manifest:
        text = template.replace("{}", value)
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "api", "namespace": "shop"},
            "type": "Opaque",
            ("stringData" if plain else "data"): {key: text if plain else b64(text)},
        }

    return build


def applied_secret(key: str) -> Callable[[str], Manifest]:
    name = "kubectl.kubernetes.io/last-applied-configuration"
    return lambda value: {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "api", "annotations": {name: json.dumps(secret(key)(value))}},
        "data": {key: "++++++++"},
    }


KINDS: tuple[Kind, ...] = (
    Kind(
        name="database password",
        make=password,
        texts=(
            "DB_PASSWORD={}",
            "could not connect: host=db user=app password={} dbname=shop sslmode=disable",
            "level=debug msg=config db.password={} db.host=postgres",
            "my database password is {} and the login fails, why?",
            "Using password {} for user app",
        ),
        manifests=(env("DB_PASSWORD"), env("POSTGRES_PASSWORD"), env("MYSQL_PWD"), env("SPRING_DATASOURCE_PASSWORD")),
    ),
    Kind(
        name="Secret data",
        make=password,
        texts=("apiVersion: v1\nkind: Secret\nmetadata:\n  name: api\nstringData:\n  settings: {}\n",),
        manifests=(secret("settings"), secret("password"), secret("anything.txt", "{}\n"), secret("value", plain=True)),
    ),
    Kind(
        name="last applied Secret",
        make=password,
        texts=('{"apiVersion":"v1","kind":"Secret","stringData":{"settings":"{}"},"metadata":{"name":"api"}}',),
        manifests=(applied_secret("settings"), applied_secret("password")),
    ),
    Kind(
        name="Helm value",
        make=password,
        texts=("helm upgrade shop ./chart --set auth.password={}", "values: auth.rootPassword: {}"),
        manifests=(
            helm("postgresql.auth.password"),
            helm("global.redis.password"),
            helm_values("auth:\n  username: app\n  password: '{}'\nreplicas: 2\n"),
            helm_values("env:\n- name: ADMIN_PASSWORD\n  value: {}\n- name: LOG_LEVEL\n  value: info\n"),
        ),
    ),
    Kind(
        name="custom resource field",
        make=password,
        texts=('reconciling {"spec":{"admin":{"password":"{}"}}}', "spec.adminPassword: {} is not accepted, what now?"),
        manifests=(custom("admin", "password"), custom("rootPassword"), custom("auth", "bindPassword"), custom("dbPass")),
    ),
    Kind(
        name="configuration file",
        make=password,
        texts=('[database]\nuser = "app"\npassword = "{}"', '<property name="password" value="{}"/>', "<password>{}</password>"),
        manifests=(
            config_map("application.properties", "spring.datasource.username=app\nspring.datasource.password={}\nserver.port=8080\n"),
            config_map("config.json", '{"db": {"user": "app", "password": "{}", "port": 5432}}'),
            config_map("config.toml", '[database]\nuser = "app"\npassword = "{}"\nport = 5432\n'),
            config_map("config.yaml", "database:\n  user: app\n  password: {}\n  port: 5432\n"),
            config_map("redis.conf", "port 6379\nrequirepass {}\nappendonly yes\n"),
            config_map("settings.xml", "<server><username>a</username><password>{}</password></server>"),
        ),
    ),
    Kind(
        name="password argument",
        make=password,
        texts=("exec: /app/server --db-password={} --port 8080", "starting with args [--password {} --verbose]"),
        manifests=(
            args("--user=app", "--password={}"),
            args("--user", "app", "--password", "{}"),
            command("sh", "-c", "exec /app --admin-password '{}' --port 80"),
            args("-Dspring.datasource.password={}"),
        ),
    ),
    Kind(
        name="mysql -p",
        make=of(ALNUM, 14),
        texts=("+ mysql -h db -u root -p{} -e 'select 1'", "mysqladmin -uroot -p{} ping failed"),
        manifests=(command("mysql", "-uroot", "-p{}"), command("sh", "-c", "mysqldump -u root -p{} shop > /b.sql")),
    ),
    Kind(
        name="curl -u",
        make=of(ALNUM, 16),
        texts=("+ curl -s -u admin:{} https://nexus.example.com/status", "curl --user admin:{} https://es:9200 gives 401"),
        manifests=(command("curl", "-u", "admin:{}", "https://es:9200"), command("sh", "-c", "curl -fsu elastic:{} http://es:9200")),
    ),
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
        name="postgres URL",
        make=password,
        texts=("dial postgres://app:{}@postgres.shop.svc:5432/shop failed", "DATABASE_URL=postgresql://app:{}@db/shop"),
        manifests=(env("DATABASE_URL"), config_map("url", "postgres://app:{}@db:5432/shop")),
    ),
    Kind(
        name="mongodb URL",
        make=password,
        texts=("MongoServerError: mongodb+srv://app:{}@cluster0.ab1cd.mongodb.net/shop?retryWrites=true",),
        manifests=(config_map("uri", "mongodb://app:{}@m-0:27017,m-1:27017/shop?replicaSet=rs0"), custom("uri")),
    ),
    Kind(
        name="broker URL",
        make=password,
        texts=("connecting to amqp://app:{}@rabbitmq:5672/%2f", "redis://:{}@redis-master:6379/0 refused the connection"),
        manifests=(args("--broker=amqps://app:{}@rabbitmq:5671/"), config_map("CACHE", "redis://default:{}@redis:6379")),
    ),
    Kind(
        name="JDBC URL",
        make=of(ALNUM, 18),
        texts=(
            "HikariPool-1 - jdbc:postgresql://db:5432/shop?user=app&password={}&ssl=true",
            "jdbc:sqlserver://db:1433;databaseName=shop;user=sa;password={};encrypt=true cannot be opened",
        ),
        manifests=(env("JDBC_URL"), config_map("url", "jdbc:mysql://db:3306/shop?user=app&password={}")),
    ),
    Kind(
        name="ADO.NET connection string",
        make=of(ALNUM + "!^*", 18),
        texts=("Server=tcp:db.example.net,1433;Initial Catalog=shop;User ID=app;Password={};Encrypt=True;",),
        manifests=(
            config_map("appsettings.json", '{"ConnectionStrings":{"Db":"Server=db;Database=shop;User Id=app;Password={};"}}'),
            lambda value: env("ConnectionStrings__Db")(f"Server=db;Database=shop;Uid=app;Pwd={value};"),
        ),
    ),
    Kind(
        name="MySQL DSN",
        make=of(ALNUM + "!-_", 16),
        texts=("sql: open app:{}@tcp(mysql:3306)/shop?parseTime=true: connection refused",),
        manifests=(lambda value: env("DSN")(f"app:{value}@tcp(mysql:3306)/shop"), args("--dsn=app:{}@tcp(mysql:3306)/shop")),
    ),
    Kind(
        name="Azure storage key",
        make=of(ALNUM + "+/", 86, suffix="=="),
        texts=("DefaultEndpointsProtocol=https;AccountName=shop;AccountKey={};EndpointSuffix=core.windows.net",),
        manifests=(env("AZURE_STORAGE_KEY"), config_map("store", "AccountName=shop;AccountKey={}")),
    ),
    Kind(
        name="Service Bus key",
        make=of(ALNUM + "+/", 43, suffix="="),
        texts=("Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey={}",),
        manifests=(config_map("bus", "Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=R;SharedAccessKey={}"),),
    ),
    Kind(
        name="SAS signature",
        make=lambda random: quote(of(ALNUM + "+/", 43, suffix="=")(random), safe=""),
        texts=("GET https://shop.blob.core.windows.net/b/f?sv=2024-11-04&se=2026-12-01&sr=b&sp=r&sig={} 403",),
        manifests=(args("https://shop.blob.core.windows.net/b?sv=2024-11-04&sp=r&sig={}"),),
    ),
    Kind(
        name="presigned S3 URL",
        make=of(HEX, 64),
        texts=("https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=900&X-Amz-Signature={}",),
        manifests=(config_map("download", "https://b.s3.amazonaws.com/k?X-Amz-Expires=900&X-Amz-Signature={}"),),
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
        manifests=(secret("tls.key"), secret("tls.key", "{}\n", plain=True), config_map("key.pem", "{}\n"), custom("tls", "key")),
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
        manifests=(secret("sshPrivateKey"), config_map("id_ed25519", "{}\n"), helm_values("git:\n  sshKey: |\n    {}\n")),
    ),
    Kind(
        name="kubeconfig client key",
        make=lambda random: b64(pem("EC ")(random)),
        texts=("users:\n- name: admin\n  user:\n    client-key-data: {}\n",),
        manifests=(config_map("kubeconfig", "apiVersion: v1\nkind: Config\nusers:\n- name: a\n  user:\n    client-key-data: {}\n"),),
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
            lambda value: custom("registry")("")
            | {"spec": {"auths": {"ghcr.io": {"auth": value, "email": "a@example.com"}}}},
        ),
    ),
    Kind(
        name="JSON web token",
        make=jwt,
        texts=("token {} rejected: signature is invalid", "received {}", "why is {} not accepted?"),
        manifests=(env("JWT"), args("{}"), annotation("example.com/session"), custom("session")),
    ),
    Kind(
        name="AWS access key",
        make=of(string.ascii_uppercase + string.digits, 16, "AK" + "IA"),
        texts=("InvalidAccessKeyId: {} does not exist", "is {} allowed to read the bucket?"),
        manifests=(env("AWS_ACCESS_KEY_ID"), config_map("s3", "key_id = {}"), custom("s3", "accessKeyID")),
    ),
    Kind(
        name="AWS secret key",
        make=of(ALNUM + "+/", 40),
        texts=(
            "aws_secret_access_key = {}",
            'credentials "AK' + 'IAZX3KP5QWERTY77AB:{}" refused',
            "AWS_SECRET_ACCESS_KEY={} aws s3 ls",
        ),
        manifests=(env("AWS_SECRET_ACCESS_KEY"), config_map("credentials", "[default]\naws_secret_access_key = {}\n")),
    ),
    Kind(
        name="Google service account",
        make=lambda random: pem("")(random).replace("\n", "\\n") + "\\n",
        texts=('{"type":"service_account","project_id":"shop","private_key":"{}","client_id":"1"}',),
        manifests=(
            secret("sa.json", '{"type":"service_account","private_key":"{}"}'),
            env("GOOGLE_CREDENTIALS_JSON"),
            config_map("sa.json", '{"type": "service_account", "private_key": "{}", "client_email": "a@b.iam"}'),
        ),
    ),
    Kind(
        name="Google API key",
        make=of(URLSAFE, 35, "AI" + "za"),
        texts=("maps: key {} is restricted", "https://maps.googleapis.com/api?key={}"),
        manifests=(env("MAPS"), args("--maps={}")),
    ),
    Kind(
        name="GitHub token",
        make=lambda random: of(ALNUM, 36, random.choice(["gh" + "p_", "gh" + "s_", "gh" + "o_"]))(random),
        texts=("fatal: could not read from https://x-access-token:{}@github.com/o/r.git", "remote: {} expired"),
        manifests=(env("GIT_AUTH"), args("--repo=https://{}@github.com/o/r"), secret("token")),
    ),
    Kind(
        name="GitHub fine-grained token",
        make=of(ALNUM + "_", 82, "github" + "_pat_"),
        texts=("using {} for api.github.com", "I gave it {} and it still says 404"),
        manifests=(env("GITHUB_PAT"), custom("scm", "pat")),
    ),
    Kind(
        name="GitLab token",
        make=of(URLSAFE, 20, "gl" + "pat-", "a"),
        texts=("PRIVATE-TOKEN: {}", "HTTP Basic: Access denied, oauth2:{} was used"),
        manifests=(env("CI_JOB"), args("--gitlab={}")),
    ),
    Kind(
        name="Slack token",
        make=lambda random: "xo" + f"xb-{random.randint(10**11, 10**12)}-{random.randint(10**11, 10**12)}-{of(ALNUM, 24)(random)}",
        texts=("slack: invalid_auth for {}", "the bot uses {}, is that right?"),
        manifests=(env("SLACK"), config_map("slack.yaml", "bot: {}\n")),
    ),
    Kind(
        name="Slack webhook",
        make=lambda random: f"T0{of(ALNUM, 9)(random)}/B0{of(ALNUM, 9)(random)}/{of(ALNUM, 24)(random)}",
        texts=("POST https://hooks.slack.com/services/{} 404",),
        manifests=(
            lambda value: env("ALERT_URL")("https://hooks.slack.com/services/" + value),
            config_map("alertmanager.yml", "slack_configs:\n- api_url: https://hooks.slack.com/services/{}\n"),
        ),
    ),
    Kind(
        name="npm token",
        make=of(ALNUM, 36, "np" + "m_"),
        texts=("npm ERR! 401 //registry.npmjs.org/:_authToken={}",),
        manifests=(config_map(".npmrc", "//registry.npmjs.org/:_authToken={}\n"), env("NPM")),
    ),
    Kind(
        name="PyPI token",
        make=of(URLSAFE, 100, "py" + "pi-AgEIcHlwaS5vcmc"),
        texts=("twine upload -u __token__ with {} gives 403",),
        manifests=(env("TWINE"), config_map(".pypirc", "[pypi]\nusername = __token__\npassword = {}\n")),
    ),
    Kind(
        name="Stripe key",
        make=of(ALNUM, 24, "sk_" + "live_"),
        texts=("stripe: Invalid API Key provided: {}", "is {} still active?"),
        manifests=(env("STRIPE"), helm("payments.stripe")),
    ),
    Kind(
        name="SendGrid key",
        make=lambda random: "S" + f"G.{of(URLSAFE, 22)(random)}.{of(URLSAFE, 43)(random)}",
        texts=("sendgrid 401 with {}",),
        manifests=(env("MAIL"), custom("mail", "sendgrid")),
    ),
    Kind(
        name="Twilio key",
        make=of(HEX, 32, "S" + "K"),
        texts=("twilio: {} unauthorized",),
        manifests=(env("TWILIO"),),
    ),
    Kind(
        name="OpenAI key",
        make=of(ALNUM + "-_", 64, "sk-" + "proj-"),
        texts=("openai.AuthenticationError: Incorrect API key provided: {}", "OPENAI_API_KEY={}"),
        manifests=(env("OPENAI_API_KEY"), env("LLM"), config_map("llm.yaml", "openai: {}\n")),
    ),
    Kind(
        name="Anthropic key",
        make=of(URLSAFE, 90, "sk-" + "ant-api03-"),
        texts=("x-api-key: {}", "anthropic says {} is invalid"),
        manifests=(env("ANTHROPIC_API_KEY"), args("--model-key", "{}")),
    ),
    Kind(
        name="Vault token",
        make=of(URLSAFE, 90, "hv" + "s."),
        texts=("X-Vault-Token: {}", "vault: permission denied for {}"),
        manifests=(env("VAULT_TOKEN"), annotation("example.com/vault")),
    ),
    Kind(
        name="age key",
        make=of(string.ascii_uppercase + string.digits, 58, "AGE-SECRET" + "-KEY-1"),
        texts=("sops: no identity matched {}",),
        manifests=(secret("keys.txt", "# created: 2026-01-01\n{}\n"), config_map("keys.txt", "# public key: age1\n{}\n")),
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
        name="OpenShift token",
        make=of(URLSAFE, 43, "sha256" + "~"),
        texts=("oc login --token={} --server=https://api:6443", "{} is not authorized"),
        manifests=(env("OC"), config_map("kubeconfig", "user:\n  token: {}\n")),
    ),
    Kind(
        name="Discord bot token",
        make=lambda random: f"M{of(ALNUM, 23)(random)}.{of(URLSAFE, 6)(random)}.{of(URLSAFE, 27)(random)}",
        texts=("discord login failed for {}",),
        manifests=(env("DISCORD"),),
    ),
    Kind(
        name="Telegram bot token",
        make=lambda random: f"{random.randint(10**8, 10**10 - 1)}:{of(URLSAFE, 34)(random)}A",
        texts=("telegram: https://api.telegram.org/bot{}/getMe 401", "telegram {} revoked"),
        manifests=(env("TELEGRAM"),),
    ),
    Kind(
        name="Azure client secret",
        make=lambda random: of(ALNUM, 3)(random) + "8" + "Q~" + of(ALNUM + "~._-", 34)(random),
        texts=("AADSTS7000215: Invalid client secret provided {}",),
        manifests=(env("AZURE_CLIENT_SECRET"), env("AZ")),
    ),
    Kind(
        name="Artifactory token",
        make=of(ALNUM, 64, "AK" + "Cp"),
        texts=("artifactory: {} expired",),
        manifests=(env("ARTIFACTORY"),),
    ),
    Kind(
        name="Docker Hub token",
        make=of(URLSAFE, 27, "dckr" + "_pat_"),
        texts=("docker login -u shop -p {} failed: unauthorized",),
        manifests=(env("HUB"), secret("password")),
    ),
    Kind(
        name="Grafana token",
        make=lambda random: "gl" + f"sa_{of(ALNUM, 32)(random)}_{of(HEX, 8)(random)}",
        texts=("grafana: 401 for {}",),
        manifests=(env("GRAFANA"),),
    ),
    Kind(
        name="SQL password",
        make=of(ALNUM + "!#", 14),
        texts=("STATEMENT: CREATE USER app WITH PASSWORD '{}'", "ALTER USER 'app'@'%' IDENTIFIED BY '{}'"),
        manifests=(config_map("init.sql", "CREATE ROLE app LOGIN PASSWORD '{}';\nGRANT ALL ON shop TO app;\n"),),
    ),
    Kind(
        name="password in words",
        make=lambda random: random.choice(["hunter", "Winter", "tiger"]) + str(random.randint(22, 99999)),
        texts=("the password is {}", "I log in as admin with password {}", "creds are admin / {}", "pw: {} does not work"),
        manifests=(env("APP_PASS"),),
    ),
)
_URLS = {
    "DATABASE_URL": "postgres://app:{}@db:5432/shop",
    "JDBC_URL": "jdbc:postgresql://db/shop?user=app&password={}",
    "uri": "mongodb://app:{}@m-0:27017/shop",
}


def planted(seed: int, *, each: int = 2) -> Iterator[Planted]:
    """`each` values of every kind in every place."""
    random = Random(seed)
    for kind in KINDS:
        for place in PLACES:
            for _ in range(each):
                yield _plant(kind, place, random)


def _plant(kind: Kind, place: Place, random: Random) -> Planted:
    value = kind.make(random)
    context, question = Context(target=Target()), "Why is it degraded?"
    text = random.choice(kind.texts).replace("{}", value)
    match place:
        case "manifest":
            context = Context(target=Target(), manifest=_manifest(kind, value, random))
        case "event":
            context = Context(target=Target(), events=(Event(type="Warning", reason="Failed", message=f"Error: {text}"),))
        case "log":
            lines = tuple(LogLine(text=line) for line in ["starting", *text.split("\n"), "stopped"])
            context = Context(target=Target(), logs=(ContainerLog(container="api", lines=lines),))
        case "question":
            question = text
    return Planted(kind=kind.name, place=place, value=value, needles=_needles(value), context=context, question=question)


def _manifest(kind: Kind, value: str, random: Random) -> Manifest:
    manifest = random.choice(kind.manifests)(value)
    text = json.dumps(manifest)
    for name, url in _URLS.items():
        # These names hold a URL with the secret in it, not the secret alone.
        for key in (f'"name": "{name}", "value": ', f'"{name}": '):
            text = text.replace(f"{key}{json.dumps(value)}", f"{key}{json.dumps(url.replace('{}', value))}")
    return json.loads(text)


def _needles(value: str) -> tuple[str, ...]:
    """The value, its base64, and of a key of several lines each line."""
    lines = [line for line in value.replace("\\n", "\n").split("\n") if line and not line.startswith("-----")]
    return (*lines, b64(value).rstrip("=")[: len(b64(value)) - 4])
