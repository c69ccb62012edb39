"""What the environment may say, what wins, and how a wrong value is told."""

import logging
import pickle
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from agent.errors import SettingsError
from agent.settings import MODEL_CONFIG_KEYS, Settings, load_settings

SECRETS = ["LLAMASTACK_API_KEY", "LIGHTSPEED_TOKEN", "ARGOCD_AUTH_TOKEN"]
PLANTED = "s3cr3t-value"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSISTANT_KUBERNETES", raising=False)


def wrong(**defaults: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(defaults)
    return str(caught.value)


def alias(name: str) -> str:
    found = Settings.model_fields[name].alias
    assert found
    return found


# --- what wins --------------------------------------------------------------------------------------------------


def test_with_nothing_set_everything_has_a_default() -> None:
    settings = load_settings()

    assert settings.provider == "auto"
    assert settings.llamastack_base_url is None
    assert settings.redaction is True
    assert settings.log_tail_lines_max == 250


def test_defaults_of_a_logged_model_are_taken_by_field_name() -> None:
    assert load_settings({"context_tokens": 8_000, "redaction": False}).context_tokens == 8_000


def test_the_environment_wins_over_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_CONTEXT_TOKENS", "4000")

    settings = load_settings({"context_tokens": 8_000, "provider_retries": 0})

    assert (settings.context_tokens, settings.provider_retries) == (4_000, 0)


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_CONTEXT_TOKENS", "")
    monkeypatch.setenv("LLAMASTACK_BASE_URL", "")

    settings = load_settings({"context_tokens": 8_000})

    assert (settings.context_tokens, settings.llamastack_base_url) == (8_000, None)


def test_the_environment_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings()
    monkeypatch.setenv("ASSISTANT_CONTEXT_TOKENS", "4000")

    assert settings.context_tokens == 16_000


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_settings().context_tokens = 5_000


@pytest.mark.parametrize("value", ["true", "1", "on", "yes", "TRUE"])
def test_a_switch_is_read_as_people_write_it(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ARGOCD_INSECURE", value)

    assert load_settings().argocd_insecure is True


@pytest.mark.parametrize(
    ("variable", "value", "read"),
    [
        ("LLAMASTACK_BASE_URL", " http://llama:8321/ ", "http://llama:8321"),
        ("LLAMASTACK_BASE_URL", "http://llama:8321/v1/", "http://llama:8321/v1"),
        ("LIGHTSPEED_URL", "https://lightspeed.example.com", "https://lightspeed.example.com"),
        ("ARGOCD_SERVER", "argocd.example.com:8443", "argocd.example.com:8443"),
        ("ARGOCD_SERVER", "https://example.com/argocd/", "https://example.com/argocd"),
        ("ARGOCD_SERVER", "[::1]:8080", "[::1]:8080"),
        ("ARGOCD_SERVER", "  ", None),
    ],
)
def test_addresses_lose_blanks_and_the_slash_at_their_end(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, read: str | None
) -> None:
    monkeypatch.setenv(variable, value)

    assert load_settings().model_dump(by_alias=True)[variable] == read


# --- what is wrong ----------------------------------------------------------------------------------------------

ADDRESS = "must be a valid address, like https://server.example.com:8443"
SECONDS = ["CONNECT_TIMEOUT", "SOURCE_TIMEOUT", "PROVIDER_TIMEOUT", "TURN_TIMEOUT", "HEARTBEAT_SECONDS"]


@pytest.mark.parametrize(
    ("variable", "value", "right"),
    [
        ("ASSISTANT_PROVIDER", "openai", "must be one of 'auto', 'llama-stack', 'lightspeed' or 'offline'"),
        ("ASSISTANT_KUBERNETES", "on", "must be one of 'auto', 'off', 'kubeconfig' or 'in-cluster'"),
        ("LLAMASTACK_BASE_URL", "llama:8321", "must start with http:// or https://"),
        ("LLAMASTACK_BASE_URL", "http://[::1", ADDRESS),
        ("LLAMASTACK_BASE_URL", "http:///v1", ADDRESS),
        ("LLAMASTACK_BASE_URL", "http://llama:99999", ADDRESS),
        ("LLAMASTACK_BASE_URL", "http://llama?x=1", ADDRESS),
        ("LLAMASTACK_BASE_URL", "http://ada:pass@llama", "must not hold a user or password"),
        ("LIGHTSPEED_URL", "ftp://lightspeed", "must start with http:// or https://"),
        ("LIGHTSPEED_URL", "https://light speed", ADDRESS),
        ("ARGOCD_SERVER", "argo cd", ADDRESS),
        ("ARGOCD_SERVER", "ada:pass@argocd", "must not hold a user or password"),
        ("ARGOCD_INSECURE", "maybe", "must be true or false"),
        ("ASSISTANT_REDACTION", "2", "must be true or false"),
        *[(f"ASSISTANT_{name}", "0", "must be greater than 0") for name in SECONDS],
        *[(f"ASSISTANT_{name}", "soon", "must be a number") for name in SECONDS],
        *[(f"ASSISTANT_{name}", "100000", "must be at most ") for name in SECONDS],
        *[(f"ASSISTANT_{name}", value, "must be") for name in SECONDS for value in ["nan", "inf", "-1"]],
        *[("ASSISTANT_CACHE_SECONDS", value, "must be") for value in ["-1", "3601", "nan", "inf", "soon"]],
        ("ASSISTANT_PROVIDER_RETRIES", "-1", "must be at least 0"),
        ("ASSISTANT_PROVIDER_RETRIES", "1.5", "must be a whole number"),
        ("ASSISTANT_PROVIDER_RETRIES", "11", "must be at most 10"),
        ("ASSISTANT_LOG_TAIL_LINES_MAX", "0", "must be at least 1"),
        ("ASSISTANT_LOG_TAIL_LINES_MAX", "0x10", "must be a whole number"),
        ("ASSISTANT_LOG_TAIL_LINES_MAX", "9" * 5_000, "must be a whole number"),
        ("ASSISTANT_TRIAGE_APPLICATIONS", "-1", "must be at least 0"),
        ("ASSISTANT_TRIAGE_APPLICATIONS", "1001", "must be at most 1,000"),
        ("ASSISTANT_LOG_LINES", "0", "must be at least 1"),
        ("ASSISTANT_LOG_LINES", "100001", "must be at most 100,000"),
        ("ASSISTANT_CONTEXT_TOKENS", "999", "must be at least 1,000"),
        ("ASSISTANT_CONTEXT_TOKENS", "1000001", "must be at most 1,000,000"),
        ("ASSISTANT_MODEL_WINDOW", "1999", "must be at least 2,000"),
        ("ASSISTANT_ANSWER_TOKENS", "99", "must be at least 100"),
        ("ASSISTANT_BODY_LIMIT_BYTES", "1", "must be at least 1,000"),
    ],
)
def test_a_wrong_value_names_its_variable_and_what_would_be_right(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, right: str
) -> None:
    monkeypatch.setenv(variable, value)

    assert wrong().startswith(f"Invalid configuration: {variable}: {right}")


def test_every_limited_setting_has_a_case_above() -> None:
    limited = {alias(name) for name, field in Settings.model_fields.items() if field.metadata}

    assert limited == {f"ASSISTANT_{name}" for name in SECONDS} | {
        "ASSISTANT_CACHE_SECONDS",
        "ASSISTANT_PROVIDER_RETRIES",
        "ASSISTANT_LOG_TAIL_LINES_MAX",
        "ASSISTANT_LOG_LINES",
        "ASSISTANT_TRIAGE_APPLICATIONS",
        "ASSISTANT_CONTEXT_TOKENS",
        "ASSISTANT_MODEL_WINDOW",
        "ASSISTANT_ANSWER_TOKENS",
        "ASSISTANT_BODY_LIMIT_BYTES",
    }


def test_all_that_is_wrong_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_PROVIDER", "openai")
    monkeypatch.setenv("ASSISTANT_CONTEXT_TOKENS", "many")

    message = wrong()

    assert "ASSISTANT_PROVIDER: " in message
    assert "ASSISTANT_CONTEXT_TOKENS: " in message


def test_a_default_that_is_no_setting_is_told_with_those_there_are() -> None:
    message = wrong(contextTokens=5_000)

    assert message.startswith("'contextTokens' is no setting; there are: provider, ")
    assert all(name in message for name in Settings.model_fields)


@pytest.mark.parametrize(
    ("chosen", "variable"), [("llama-stack", "LLAMASTACK_BASE_URL"), ("lightspeed", "LIGHTSPEED_URL")]
)
def test_a_chosen_provider_needs_its_address(monkeypatch: pytest.MonkeyPatch, chosen: str, variable: str) -> None:
    monkeypatch.setenv("ASSISTANT_PROVIDER", chosen)

    assert wrong() == f"ASSISTANT_PROVIDER is {chosen!r}, but {variable} is not set"

    monkeypatch.setenv(variable, "http://server.example.com")
    assert load_settings().provider == chosen


@pytest.mark.parametrize("variable", ["LIGHTSPEED_PROVIDER", "LIGHTSPEED_MODEL"])
def test_lightspeeds_provider_and_model_go_together(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "x")

    assert "LIGHTSPEED_PROVIDER and LIGHTSPEED_MODEL go together" in wrong()


# --- secrets ----------------------------------------------------------------------------------------------------


def test_the_secrets_are_the_settings_that_hold_tokens() -> None:
    secret = {alias(name) for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}

    assert secret == set(SECRETS)


@pytest.mark.parametrize("variable", SECRETS)
def test_a_secret_is_never_shown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, variable: str
) -> None:
    monkeypatch.setenv(variable, PLANTED)

    settings = load_settings()
    logging.getLogger("test").warning("%s %r", settings, settings)

    shown = [repr(settings), str(settings), settings.model_dump_json(), str(settings.model_dump()), caplog.text]
    assert not any(PLANTED in text for text in shown)
    assert settings.model_dump(by_alias=True)[variable].get_secret_value() == PLANTED


@pytest.mark.parametrize("variable", SECRETS)
def test_a_secret_is_not_in_the_error_about_another_setting(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, PLANTED)
    monkeypatch.setenv("ASSISTANT_CONTEXT_TOKENS", PLANTED)
    monkeypatch.setenv("LLAMASTACK_BASE_URL", f"https://ada:{PLANTED}@llama")

    with pytest.raises(SettingsError) as caught:
        load_settings()

    assert PLANTED not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_secret_of_the_wrong_type_is_not_repeated() -> None:
    assert PLANTED not in wrong(lightspeed_token=[PLANTED])


def test_a_logged_model_may_carry_no_secret_and_no_address() -> None:
    assert set(Settings.model_fields) >= MODEL_CONFIG_KEYS
    assert not any(
        word in key
        for key in MODEL_CONFIG_KEYS
        for word in ("token", "key", "url", "server", "bundle")
        if not key.endswith("_tokens")
    )


def test_settings_survive_a_copy_to_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIGHTSPEED_TOKEN", PLANTED)
    settings = load_settings()

    copy = pickle.loads(pickle.dumps(settings))

    assert copy == settings
    assert copy.lightspeed_token == SecretStr(PLANTED)


def test_every_setting_says_what_it_is_for() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert alias(name).isupper()
