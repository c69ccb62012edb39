"""What a text gives away by a name, a form or a place is hidden, and nothing else is."""

import json

import pytest

from agent.redaction import Redactor
from agent.redaction.detector import DETECTORS
from agent.redaction.spans import Detector, SearchedText
from agent.redaction.spellings import unescape
from tests.redaction.corpus.making import b64

SECRET = "hunter2Xq9"


def hidden(text: str) -> str:
    return Redactor(b"session").text(text)


TEXTS_WITH_A_SECRET = (
    # names and values
    "DB_PASSWORD={}",
    "DB_PASSWORD={} DB_USER=app",
    "PGPASSWORD={} psql -h db",
    "export DB_PASS={}",
    "password: {}",
    "  password: '{}'",
    'password = "{}"',
    "MYSQL_ROOT_PASSWORD: {}",
    '{"password": "{}", "user": "x"}',
    '{"msg":"{\\"password\\":\\"{}\\"}"}',
    'msg="config {\\"db\\":{\\"password\\":\\"{}\\"}}"',
    "config: {User:app Password:{} Host:db}",
    "Config(user=app, password={}, host=db)",
    "auth: {username: a, password: {}}",
    "dict(password=u'{}')",
    "<password>{}</password>",
    '<property name="password" value="{}"/>',
    "-Djavax.net.ssl.keyStorePassword={}",
    "failed with password: {} for user app",
    "aws_secret_access_key = {}",
    "requirepass {}",
    "passphrase: {}",
    "ERLANG_COOKIE={}",
    "SECRET_KEY={}",
    "bindPW: {}",
    "api_key: {}",
    "client_secret={}&grant_type=client_credentials",
    # arguments and commands
    "--password={}",
    "--db-password '{}'",
    "kubeadm join --token {} --discovery-token-ca-cert-hash sha256:00",
    "mysql -u root -p{} -h db",
    "sh -c 'mysql -uroot -p{}'",
    "curl -u admin:{} https://x/y",
    "curl -su admin:{} https://x",
    "redis-cli -a {} ping",
    "sshpass -p {} ssh host",
    "docker login -u a -p {} registry.example.com",
    "kubectl create secret generic x --from-literal=settings={}",
    # connection strings and URLs
    "postgres://app:{}@db:5432/x",
    "redis://:{}@redis:6379/0",
    "jdbc:postgresql://db/x?user=a&password={}",
    "jdbc:sqlserver://db:1433;databaseName=x;user=sa;password={};encrypt=true",
    "jdbc:oracle:thin:scott/{}@db:1521:orcl",
    "app:{}@tcp(mysql:3306)/x?parseTime=true",
    "Server=tcp:db,1433;Database=x;User ID=sa;Password={};Encrypt=True",
    "host=db port=5432 user=app password={} dbname=x sslmode=disable",
    "https://x/y?token={}&a=b",
    "app:{}@db.example.com refused",
    "db:5432:shop:app:{}",
    # calls, and values on a line of their own
    'define("DB_PASSWORD", "{}");',
    "os.environ.setdefault('DB_PASSWORD', '{}')",
    '["--password", "{}", "--user", "app"]',
    "args:\n- --password\n- {}\n- --verbose",
    "    Args:\n      --password\n      {}\n    State: Waiting",
    "password:\n  {}\nuser: app",
    "password=\\\n  {}",
    "I changed the admin password to {} yesterday",
    "Unseal Key 1: {}Ab1Zq8Wm",
    "vault operator unseal {}",
    "echo {} | docker login -u bot --password-stdin registry.example.com",
    "printf '%s' '{}' | helm registry login -u bot --password-stdin r",
    'echo -n "{}" | passwd --stdin app',
    "Error: password:\n  {}",
    "Error: password:\n    {}\nuser: app",
    "Error: smtp_password: >-\n  {}\nport: 25",
    "- password:\n    {}",
    "define( 'DB_PASSWORD', '{}' );",
    "password: !!str {}",
    "API_TOKEN={}abcdEFGH\\\n{}",
    "Password for 'https://bot@git.example.com': {}",
    "env DB_PASSWORD changed from 'a' to '{}'",
    "I changed the db password to {}. Why is the pod crashing?",
    # other languages
    "Kennwort: {}",
    "mot de passe: {}",
    "MOT_DE_PASSE={}",
    "usuario=app senha={}",
    "пароль: {}",
    "пароль пользователя: {}",
    "数据库密码：{}",
    "パスワード={}",
    "كلمة المرور: {}",
    # tables
    "| DB_PASSWORD | {} |",
    "| NAME | PASSWORD |\n|---|---|\n| app | {} |",
    "user,password\nadmin,{}",
    "INSERT INTO users (name, password) VALUES ('bob', '{}')",
    # spelt otherwise
    "\x1b[1mpassword\x1b[0m=\x1b[36m{}\x1b[0m host=db",
    '{"log":"\\u001b[34mtoken:\\u001b[0m \\u001b[33m{}\\u001b[0m"}',
    "redirect_uri=postgres%3A%2F%2Fapp%3A{}%40db%3A5432%2Fx",
    "body=user%3Dapp%26password%3D{}%26x%3D1",
    "{&quot;password&quot;:&quot;{}&quot;}",
    "{\\u0022password\\u0022:\\u0022{}\\u0022}",
    'manifest: "apiVersion: v1\\nkind: Secret\\nstringData:\\n  foo: {}\\n"',
    # further commands
    "htpasswd -bB /auth/file admin {}",
    "htpasswd -nb admin {}",
    "rabbitmqctl add_user app {}",
    "etcdctl --user root:{} endpoint health",
    "rclone obscure {}",
    "echo 'root:{}' | chpasswd",
    'ConvertTo-SecureString "{}" -AsPlainText -Force',
    "echo {} | sudo -S systemctl restart x",
    "sed -i 's/__PASSWORD__/{}/' /etc/app.conf",
    "sentinel auth-pass mymaster {}",
    "user worker on >{} ~* +@all",
    '"app" "{}"',
    '1700000000.1 [0 10.0.0.1:5] "AUTH" "{}"',
    "AUTH default {}",
    "C: LOGIN bob {}",
    "mc alias set s3 http://minio:9000 admin {}",
    "iscsiadm --name node.session.auth.password --value {} failed",
    "PDO->__construct('mysql:host=db', 'root', '{}')",
    "SET PASSWORD FOR 'app'@'%' = PASSWORD('{}')",
    "#cloud-config\nchpasswd:\n  list: |\n    root:{}\n",
    # what kubectl prints
    "Data\n====\nMAIL_PASSWORD:\n----\n{}\n\nMAIL_HOST:\n----\nsmtp",
    "kubectl get secret x -o jsonpath='{.data.settings}' | base64 -d\n{}",
    "- name: API_SECRET\n-     value: {}\n+     value: other1Aa",
    "- name: API_SECRET\n-     value: other1Aa\n+     value: {}",
    'if ($http_x_token != "{}") { return 403; }',
    "the api key I use is {}",
    # further sentences
    "Please use the following password to proceed:\n\n{}Ab1Zq8\n\nIt is also at /x",
    "A temporary password is generated for root@localhost: {}",
    "The initial password has been set to: {}",
    "I replaced the token with {} in the secret",
    "I use {} as password, still NOAUTH",
    "Mein Passwort lautet {} und es geht nicht",
    "le mot de passe est {} mais il est refusé",
    # lists, types, elements
    'tokens: ["other1Aa", "{}"]',
    "passwords:\n- other1Aa\n- {}",
    "param adminPassword string = '{}'",
    'password: str = "{}"',
    '<wsse:Password Type="x#PasswordText">{}</wsse:Password>',
    "<password><![CDATA[{}]]></password>",
    '"ParameterKey": "DBPassword", "ParameterValue": "{}"',
    "pass_phrase={}",
    # headers
    "Authorization: Bearer {}",
    '"Authorization":"Bearer {}"',
    "Authorization: Token {}",
    "X-Api-Key: {}",
    "PRIVATE-TOKEN: {}",
    "Cookie: theme=dark; session={}",
    "Set-Cookie: SESSIONID={}; Path=/; HttpOnly",
    # objects in a text
    "name: DB_PASSWORD\n  value: {}\n",
    '{"name":"DB_PASSWORD","value":"{}"}',
    '{\\"name\\":\\"DB_PASSWORD\\",\\"value\\":\\"{}\\"}',
    "EnvVar{Name:DB_PASSWORD,Value:{},ValueFrom:nil,}",
    '{"value":"{}","name":"DB_PASSWORD"}',
    'env:\n  - value: "{}"\n    name: STRIPE_SECRET',
    '[{"op":"replace","path":"/spec/password","value":"{}"}]',
    'spec.env[0].value: Invalid value: "{}": DB_PASSWORD must come from a Secret',
    "apiVersion: v1\nkind: Secret\nmetadata:\n  name: x\nstringData:\n  settings: {}\n",
    "kind: Secret\nstringData:\n  settings: |\n    first\n    {}\ntype: Opaque\n",
    '{"apiVersion":"v1","data":{"settings":"{}"},"kind":"Secret"}',
    '{\\"kind\\":\\"Secret\\",\\"stringData\\":{\\"settings\\":\\"{}\\"}}',
    "password: |\n  {}\nuser: app\n",
    # SQL and words
    "CREATE USER a WITH PASSWORD '{}';",
    "CREATE USER 'a'@'%' IDENTIFIED BY '{}';",
    "machine x login y password {}",
    "my password is {}",
    "the password is '{}' and it fails",
    "password for admin is {}, why",
    "The DB password ({}) is refused",
    "why does '{}' not work as password",
    "I set DB_PASSWORD to {}",
    "log in as admin with password {}",
    "login with admin / {}",
    "api key {} was rejected",
    "the token is {}",
    'invalid password "{}" for user',
)
"""Texts in which {} is the place of a secret."""


@pytest.mark.parametrize("text", TEXTS_WITH_A_SECRET)
def test_hides_what_a_name_or_a_place_gives_away(text: str) -> None:
    assert SECRET not in hidden(text.replace("{}", SECRET))
    assert "[REDACTED:" in hidden(text.replace("{}", SECRET))


@pytest.mark.parametrize(
    "text",
    [
        "the token expired",
        'password authentication failed for user "app"',
        'Error: secret "db-credentials" not found',
        "couldn't find key password in Secret default/db",
        'MountVolume.SetUp failed for volume "tls" : secret "db-tls-v2" not found',
        'secrets "regcred" is forbidden: User "system:serviceaccount:a:b" cannot get resource "secrets"',
        "Access denied for user 'app'@'10.0.0.3' (using password: YES)",
        "TOKEN_TTL=3600 TOKEN_FILE=/var/run/secrets/kubernetes.io/serviceaccount/token",
        "PASSWORD_FILE=/run/secrets/db-password SECRET_NAME=db-credentials",
        "--token-ttl=24h0m0s --tls-private-key-file=/etc/tls/tls.key --secret-name=foo",
        "    secretKeyRef:\n      key: password\n      name: db",
        "max_tokens=4096 tokens=345 token_count: 12",
        '{"prompt_tokens":120,"completion_tokens":30}',
        "commit 3f786850e387550fdab836ed7e6dc881de23001b",
        "checksum/secret: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "uid=7f3c1f8e-0c9d-4a47-bb0b-7f3cdd3f1b2a key=app/config cache key user:1234:profile",
        "PWD=/app OLDPWD=/",
        "bearer token authentication failed",
        'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"',
        "password must be at least 8 characters",
        "existingSecret: postgres-credentials",
        "passwordKey: postgres-password",
        "https://example.com:8080/path?email=a@example.com",
        "git@github.com:org/repo.git",
        "password: ${DB_PASSWORD}",
        "password: {{ .Values.password }}",
        'password: "********"',
        "clientSecret: $oidc.keycloak.clientSecret",
        "password = :password AND token = ?",
        "DB_PASSWORD:  <set to the key 'password' in secret 'db'>  Optional: false",
        "why does the secret db-creds-v2 not sync",
        "why is my secret my-app-secret-2024 missing",
        "Secret/db-creds OutOfSync",
        "auth=ok user=alice",
        "password reset requested by user42",
        "    token = self._issue_token(user)",
        "author: Jane Doe",
        "no access to arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-Ab12Cd",
        "pass=12 fail=3 skipped=1",
        "echo $DB_PASSWORD | docker login --password-stdin",
        "echo started-2 | tee log; app --stdin",
        "affinity:\n  key: node-role.kubernetes.io/control-plane",
        "password:\nuser: app\n",
        "tls:\n  secret:\n    name: web-tls-v2\n",
        "  --password\n      The password of the user",
        'getattr(settings, "password", "missing")',
        "config c2VydmVyOgogIHBvcnQ6IDgwODAKICBob3N0OiBzaG9wCg== of 33 bytes",
        "keyspace=orders partition_key=order_id routing_key=orders.created",
        "cache-key: npm-linux-x64-8f14e45fceea167a5a36dedd4bea2543",
        "İstanbul password: ${X}",
        "Das Passwort ist falsch",
        "parse error: unexpected token: IDENTIFIER_39",
        "key=user:858040:profile not found in cache",
        "sessionid = 0x7bbec6f5b5b1d75",
        "PASS: TestLogin (3.0s)",
        "password: ENC[AES256_GCM,data:g9K9SBHuyS3y1JL1,iv:abc=,tag:x==,type:str]",
        "Error: password: ENC[AES256_GCM,data:g9K9SBHuyS3y1JL1,iv:abc=,tag:x==,type:str]",
        "Failed to read the password:\n  permission denied",
        "user,password,email\nare the columns,all of them,of it",
        "path=%2Fhealthz%3Fverbose%3Dtrue",
        "\x1b[31mERROR\x1b[0m pod \x1b[1mapi-x2x4z\x1b[0m failed",
        'spec.tls.secretName: Invalid value: "web-tls-v2": not found',
        "npm:left-pad@latest",
        "BCryptPasswordEncoder : Encoded password does not look like BCrypt",
        'raise ValueError(f"bad token {token!r}")',
        "spin: idle, pin: cpu1",
        "het wachtwoord is verlopen",
        "PASSWORD_HASHER=django.contrib.auth.hashers.Argon2PasswordHasher",
        "user alice on node worker-1 > 90 % +1",
        "AUTH failed for LOGIN page",
        'PASS: 3, "tokens":{"agent":"x"}',
        "alias set for mc: minio-1 ready now",
        "echo c2VydmVyOgo= | base64 -d\nserver:",
        "Data\n====\nLOG_LEVEL:\n----\ninfo",
        "if token != nil {",
        "secretId: prod/shop/db",
        "htpasswd -c /auth/file admin",
        "",
    ],
)
def test_leaves_ordinary_text_identical(text: str) -> None:
    assert hidden(text) == text


@pytest.mark.parametrize(
    ("text", "visible"),
    [
        ("postgres://app:{}@db.shop.svc:5432/orders", ["postgres://app:", "@db.shop.svc:5432/orders"]),
        ("https://x/y?token={}&page=2", ["https://x/y?token=", "&page=2"]),
        ("Server=db;Password={};Encrypt=True", ["Server=db;Password=", ";Encrypt=True"]),
        ("curl -u admin:{} https://x", ["curl -u admin:", " https://x"]),
        ('{"password":"{}","user":"app"}', ['{"password":"', '","user":"app"}']),
    ],
)
def test_keeps_what_stands_around_a_secret(text: str, visible: list[str]) -> None:
    result = hidden(text.replace("{}", SECRET))
    assert SECRET not in result
    assert all(part in result for part in visible)


@pytest.mark.parametrize(
    "password",
    ["P@ssw0rd!", "a&b;c,d|e1", "p<q>r2T", "x/y+z=Q9", "abc#def1G", "Tr0ub4dor&3", "q'w1E", "ümläut9pw", "{br4ce}d",
     "(par3n)", "comma,inside1", "$ecret123", "hunter", "12345678", "!bang1A", "a@b:c/d1"],
)  # fmt: skip
@pytest.mark.parametrize(
    "text", ["DB_PASSWORD={}", "password: {}", '{"password":"{}"}', "--password={}", "postgres://u:{}@host:5432/db"]
)
def test_hides_passwords_of_odd_signs(text: str, password: str) -> None:
    assert password not in hidden(text.replace("{}", password))


def test_hides_the_base64_of_a_secret_in_a_yaml_document() -> None:
    text = f"kind: Secret\ndata:\n  settings: {b64(SECRET)}\n---\nkind: ConfigMap\ndata:\n  settings: ordinary\n"
    result = hidden(text)
    assert b64(SECRET) not in result
    assert "settings: ordinary" in result
    assert hidden(f"password={SECRET}").removeprefix("password=")[-7:] in result, "equality stays visible"


@pytest.mark.parametrize(
    "plain",
    [
        f"password={SECRET}",
        f"server:\n  port: 8080\ndb:\n  password: {SECRET}\n",
        f"postgres://app:{SECRET}@db:5432/shop",
        b64(f"first line\nDB_PASSWORD={SECRET}\n"),
    ],
)
def test_hides_base64_that_holds_a_secret(plain: str) -> None:
    encoded = b64(plain)
    assert hidden(f"decoded from {encoded} at start").startswith("decoded from [REDACTED:")
    assert encoded not in str(Redactor(b"session").value({"kind": "ConfigMap", "data": {"blob": encoded}}))
    url_safe = encoded.replace("+", "-").replace("/", "_").rstrip("=")
    assert url_safe not in hidden(f"state={url_safe}&page=2")


def test_hides_base64_that_is_wrapped_beside_other_words() -> None:
    encoded = b64(f"db:\n  host: postgres.shop.svc\n  user: application\n  password: {SECRET}\n# " + "x" * 60)
    lines = [encoded[at : at + 76] for at in range(0, len(encoded), 76)]
    result = hidden("\n".join(["written:", *lines, "StandardWordOfItsOwnInTheLog", "end of it"]))
    assert not any(line in result for line in lines)
    assert "end of it" in result


def test_hides_the_password_hashes_of_django() -> None:
    digest = "wsaUzwBIJVBUU8aIdse1YzVwN6lHLbl9MjQ8LrwyCLw="
    result = hidden(f"root:pbkdf2_sha256$600000$FyWVLHwWJXLMIGIuc0W5Y8${digest}:19000:0")
    assert digest not in result
    assert result.endswith(":19000:0")


def test_a_key_spread_over_lines_is_hidden_whole() -> None:
    lines = ["A" * 64, "b9" * 32, "Zm9v=="]
    pem = "\n".join(["-----BEGIN EC PRIVATE" + " KEY-----", *lines, "-----END EC PRIVATE" + " KEY-----"])
    result = hidden(f"before\n{pem}\nafter")
    assert not any(line in result for line in lines)
    assert result.startswith("before\n-----BEGIN EC PRIVATE KEY-----\n[REDACTED:private-key:")
    assert result.endswith("]\n-----END EC PRIVATE KEY-----\nafter")


def test_a_key_whose_end_or_beginning_was_cut_is_hidden_to_where_it_stops() -> None:
    lines = ["A" * 64, "b9" * 32]
    begun = hidden("\n".join(["-----BEGIN PRIVATE" + " KEY-----", *lines, "server started on port 8080"]))
    ended = hidden("\n".join(["server started on port 8080", *lines, "Zg==", "-----END PRIVATE" + " KEY-----"]))
    for result in (begun, ended):
        assert not any(line in result for line in lines)
        assert "server started on port 8080" in result


def test_a_certificate_is_no_secret() -> None:
    certificate = "-----BEGIN CERTIFICATE-----\n" + "A" * 64 + "\n-----END CERTIFICATE-----"
    assert hidden(certificate) == certificate
    assert hidden(f"caBundle: {b64(certificate)}") == f"caBundle: {b64(certificate)}"


def test_a_token_wrapped_over_lines_is_hidden_to_its_end() -> None:
    lines = ["q7Zk2Lw9Xr4Tb8Nc1Vd6Mf3Hs5Jg0Py2Qe7Ua9Io4Zk", "b3Wx8Rt5Yn1Lp6Kd2Sv9Fm4Gc7Hj0Bq3Za5Xe8Cu1Vi", "Zt4Nb7Qw"]
    result = hidden("token: " + "\n".join([*lines, "server started on port 8080"]))
    assert not any(line in result for line in lines)
    assert result.endswith("server started on port 8080")


def test_a_line_below_a_token_that_is_no_part_of_it_stays() -> None:
    token = "q7Zk2Lw9Xr4Tb8Nc1Vd6Mf3Hs5Jg0Py2Qe7Ua9Io4Zk"
    commit = "3f786850e387550fdab836ed7e6dc881de23001b"
    assert hidden(f"token: {token}\n{commit}").endswith(f"\n{commit}")


def test_a_mnemonic_is_hidden_whole() -> None:
    words = "adapt achieve afraid aerobic access adjust advance address alert afford age air"
    assert hidden(f"mnemonic: {words}").startswith("mnemonic: [REDACTED:mnemonic:")
    assert "aerobic" not in hidden(f'WALLET="the seed phrase is {words}"')


def test_the_private_part_of_a_json_web_key_is_hidden_and_its_public_one_stays() -> None:
    key = {
        "kty": "EC",
        "x": "dEYw8zGcXNCCiFaj2dLeVBSVnaCsKtRUdlASxH8dHzE",
        "d": "QgRkeV-o5c2g6LdovwAZ74gzrhWBz4HPcGSKb6PN",
    }
    for result in (hidden(json.dumps(key)), str(Redactor(b"session").value(key))):
        assert key["d"] not in result
        assert key["x"] in result


def test_a_digest_header_keeps_its_user_and_loses_its_response() -> None:
    result = hidden('Authorization: Digest username="u", nonce="a1", response="b84d15dc58728fe66262e14c7cd1fc1a"')
    assert 'username="u"' in result
    assert "b84d15dc" not in result


def test_a_step_of_a_url_that_lets_somebody_in_is_hidden() -> None:
    token = "5KEvY0wA9zQmHrJiSRnCgm7A7UE3Yd2j"
    assert token not in hidden(f"https://app.example.com/reset-password/{token} sent")
    assert token in hidden(f"https://app.example.com/orders/{token} sent")


def test_a_uuid_is_a_secret_where_a_server_gives_it_out_as_one() -> None:
    uuid = "c803bbe5-9290-38bf-93c9-496e0644e7d2"
    for text in (f"Secret ID    = {uuid}", f"VAULT_SECRET_ID={uuid}", f"Authorization: Splunk {uuid}"):
        assert uuid not in hidden(text)
    assert hidden(f"request id = {uuid}") == f"request id = {uuid}"


def test_a_pin_is_digits() -> None:
    assert "040926" not in hidden("PIN: 040926")
    assert "131975" not in hidden("https://app.example.com/verify?otp=131975&u=1")


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.name)
def test_a_short_word_without_a_sign_gives_nothing_away(detector: Detector) -> None:
    """Which is why most strings of a manifest are not searched at all."""
    keywords = ("password", "secret", "token", "key", "auth", "pin", "from", "into", "value", "mysql", "sshpass", "log")
    for keyword in keywords:
        for word in (keyword, f"{keyword}-hunter2", f"-p{keyword}", f"--{keyword}", f"a/{keyword}.X9", f"{keyword}_1"):
            assert list(detector.find(SearchedText.of(word))) == []
            assert unescape(word) is None


def test_the_next_clause_of_a_message_is_no_credential() -> None:
    message = "may require authorization: server message: insufficient_scope: authorization failed"

    assert hidden(message) == message
