"""Odd and hostile input: no crash, nothing lost, and work that grows with the length of the text only."""

import pytest

from agent.redaction import Redactor

SIZE = 50_000
# Each made a naive pattern read the rest of the text again and again; quadratic work on them would take minutes.
HOSTILE = [
    "password ", "password=", "passwordpassword", "password=https://", "token='", 'token="\\"', "key: |\n ", "://",
    "://a:", "://a:b@", "eyJ", "-eyJ", "eyJaaaaaaaaaaaa.", "sk-", "xsk-", "xoxb-1-1-", "AKIA", "awskey'", "/",
    "-----BEGIN PRIVATE KEY-----\n", "-----END PRIVATE KEY-----\n", "-", "kind: Secret\ndata:\n a: b\n",
    "---\nkind: Secret\n", '"kind":"Secret""data":{', '"kind":"Secret","data":{"a":"b",',
    "name: password value: x ", "bearer ", "basic aaaa", "cookie: a=b; ", "authorization: ", "curl -u ",
    "mysql -pa ", "--from-literal=", "identified by '", "login a password ", "creds a/", "a:b@tcp(", "?code=",
    "a:b@c.d", "@a.b", "a:5432:b:c:d",
    "QUFB\n", "QUFBQUFBQUFBQUFBQUFBQUFB\n", "QUFBQUFBQUFBQUFBQUFBQUFB ", "QUFBQUFBQUFBQUFBQUFBQUFBQUF+/-\n",
    "--password\n", "password:\n", "password:\n ", '("password", ', "Key 1: ", "arn:aws:a:secret:", "unseal ",
    "echo a1B2 | ", "echo a1B2c | x stdin ",
    "\\", '"', "12345678:", "MIIaaaIBAAK", "LS0tLS1CRUdJTi", "$2a$10$", "hvs.-", "glpat-",
    "[REDACTED:password:abcdef]", "İpassword=x ",
    "%3D", "\x1b[", "\\u001b[0m", "&quot;", "a,", "pass,", "pass,a\n", "| ", "|a|b|\n",
    "insert into a(", "insert into a(b) values (", "insert into a(pass) values ('", "('a'),",
    'Invalid value: "abc1', "password from ", "mnemonic abc ", "mnemonic ", "abc abc ", "/hook/",
    "value: x\nname: ", 'value:"', '"kty":', '"d":"', "token: a1B2\\\n", "A1b2C3d4\n", "htpasswd -b ",
    "mot de passe ", "a:A1b2C3@db:", "password a:\n\n", "use a1B2c3 as ", "auth-pass a ", "user a >", '"a" "',
    "<pass a>", "<a>b</", "s/passw/", "tokens: ['a', ", "tokens:\n- a\n", "- a\n", "secret id ",
    "pass:\n----\n", "--name a --value ", "base64 -d\n", "pdo('a','", "AUTH a ", "LOGIN ", "chpasswd:\n list:\n a:b\n",
    " alias set a ", "+ value: ", "name: password\n- value: x\n+ value: ",
    "password for a b ", "<password>a", "Private-Lines: 1\na ",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_is_read_to_its_end(piece: str) -> None:
    text = piece * (SIZE // len(piece)) + "\nDB_PASSWORD=hunter2Xq9\n"
    assert "hunter2Xq9" not in Redactor(b"session").text(text)


def test_ten_megabytes_of_log_are_read_whole() -> None:
    line = "2026-11-21T09:00:00Z INFO GET /api/v1/orders/1234 200 in 12ms user=alice\n"
    count = 10_000_000 // len(line)
    text = line * count + "DB_PASSWORD=hunter2Xq9\n" + line
    redactor = Redactor(b"session")
    result = redactor.text(text)
    assert redactor.hidden == 1
    assert "hunter2Xq9" not in result
    assert result.count("\n") == count + 2


def test_many_secrets_are_sought_in_many_texts() -> None:
    data = {f"key-{index}": f"hunter{index}Xq9" for index in range(2_000)}
    redactor = Redactor(b"session")
    redactor.value({"kind": "Secret", "stringData": data})
    text = redactor.text(" ".join(data.values()))
    assert "hunter" not in text
    assert redactor.hidden == 2_000


@pytest.mark.parametrize(
    "text", ["\ud800password=a1b2c3\udfff", "password=\x00x1Y2", "\x1b[31mpassword=a1b2c3\x1b[0m", "💥" * 9]
)
def test_odd_characters_are_no_fault(text: str) -> None:
    result = Redactor(b"session").text(text)
    assert "a1b2c3" not in result


def test_a_very_long_secret_is_hidden_to_its_end_wherever_it_stands() -> None:
    secret = "a1B2c3D4" * 50_000
    redactor = Redactor(b"session")
    redactor.value({"kind": "Secret", "stringData": {"release": secret}})
    assert "D4a1B2" not in redactor.text(f"payload {secret} sent, of it {secret[:1000]}")
