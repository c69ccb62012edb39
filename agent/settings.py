"""The configuration: read once from the environment, checked, frozen.

Owns the names, defaults and limits of the settings. The `model_config` of a logged model gives the defaults, the
environment overrides them, and secrets come from the environment only.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from agent.errors import SettingsError, complaint

_NOT_IN_AN_ADDRESS = re.compile(r"[\s\x00-\x1f\x7f?#\\]")

_PROMPT = re.compile(r"prompts:/[^/@\s]+(?:@[^/@\s]+|/[1-9]\d*)")

type ProviderChoice = Literal["auto", "llama-stack", "lightspeed", "offline"]
type KubernetesChoice = Literal["auto", "off", "kubeconfig", "in-cluster"]


class Settings(BaseSettings):
    """Each field is read from the environment variable of its alias. Durations are seconds."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", populate_by_name=True, env_ignore_empty=True)

    provider: ProviderChoice = Field(
        "auto",
        alias="ASSISTANT_PROVIDER",
        description="`auto` (llama-stack or Lightspeed where one is configured, else offline), `llama-stack`, "
        "`lightspeed` or `offline`",
    )
    llamastack_base_url: str | None = Field(
        None, alias="LLAMASTACK_BASE_URL", description="llama-stack or OGX server, with or without `/v1`"
    )
    llamastack_model: str | None = Field(
        None, alias="LLAMASTACK_MODEL", description="model to ask; unset: the first usable language model"
    )
    llamastack_agent_id: str | None = Field(
        None, alias="LLAMASTACK_AGENT_ID", description="existing agent of an older server (Agents API)"
    )
    llamastack_api_key: SecretStr | None = Field(
        None, alias="LLAMASTACK_API_KEY", description="bearer token for the llama-stack server"
    )
    llamastack_ca_bundle: str | None = Field(
        None,
        alias="LLAMASTACK_CA_BUNDLE",
        description="CA certificates (PEM file) for the llama-stack server",
    )
    lightspeed_url: str | None = Field(None, alias="LIGHTSPEED_URL", description="OpenShift Lightspeed service")
    lightspeed_token: SecretStr | None = Field(
        None, alias="LIGHTSPEED_TOKEN", description="Kubernetes or OpenShift bearer token for Lightspeed"
    )
    lightspeed_provider: str | None = Field(
        None, alias="LIGHTSPEED_PROVIDER", description="Lightspeed's own provider (set the model too)"
    )
    lightspeed_model: str | None = Field(
        None, alias="LIGHTSPEED_MODEL", description="Lightspeed's model (set the provider too)"
    )
    lightspeed_ca_bundle: str | None = Field(
        None, alias="LIGHTSPEED_CA_BUNDLE", description="CA certificates (PEM file) for Lightspeed"
    )
    argocd_server: str | None = Field(
        None, alias="ARGOCD_SERVER", description="Argo CD API server: `argocd.example.com` or an http(s) URL"
    )
    argocd_auth_token: SecretStr | None = Field(None, alias="ARGOCD_AUTH_TOKEN", description="Argo CD API token")
    argocd_ca_bundle: str | None = Field(
        None, alias="ARGOCD_CA_BUNDLE", description="CA certificates (PEM file) for the Argo CD API"
    )
    argocd_insecure: bool = Field(
        False, alias="ARGOCD_INSECURE", description="accept any certificate of the Argo CD API"
    )
    kubernetes: KubernetesChoice = Field(
        "auto",
        alias="ASSISTANT_KUBERNETES",
        description="`auto` (the pod's service account or a kubeconfig where there is one), `in-cluster`, "
        "`kubeconfig` or `off`",
    )
    connect_timeout: float = Field(
        5.0, alias="ASSISTANT_CONNECT_TIMEOUT", gt=0, le=60, description="seconds to connect to anything"
    )
    source_timeout: float = Field(
        10.0,
        alias="ASSISTANT_SOURCE_TIMEOUT",
        gt=0,
        le=120,
        description="seconds for one read of a context source",
    )
    cache_seconds: float = Field(
        15.0,
        alias="ASSISTANT_CACHE_SECONDS",
        ge=0,
        le=3600,
        description="seconds for which responses of Argo CD and Kubernetes are cached per user; 0: no cache",
    )
    provider_timeout: float = Field(
        120.0,
        alias="ASSISTANT_PROVIDER_TIMEOUT",
        gt=0,
        le=3600,
        description="seconds without news from the provider",
    )
    turn_timeout: float = Field(
        600.0, alias="ASSISTANT_TURN_TIMEOUT", gt=0, le=7200, description="seconds one whole turn may take"
    )
    provider_retries: int = Field(
        2, alias="ASSISTANT_PROVIDER_RETRIES", ge=0, le=10, description="further tries before the first token"
    )
    log_tail_lines_max: int = Field(
        250,
        alias="ASSISTANT_LOG_TAIL_LINES_MAX",
        ge=1,
        le=100_000,
        description="most log lines one request may ask for",
    )
    log_lines: int = Field(
        5_000,
        alias="ASSISTANT_LOG_LINES",
        ge=1,
        le=100_000,
        description="log lines read of a container, then distilled, where a request names no `tail_lines`",
    )
    context_tokens: int = Field(
        16_000,
        alias="ASSISTANT_CONTEXT_TOKENS",
        ge=1_000,
        le=1_000_000,
        description="most tokens of instructions and context in a turn; in a smaller window what it leaves them",
    )
    model_window: int | None = Field(
        None,
        alias="ASSISTANT_MODEL_WINDOW",
        ge=2_000,
        le=10_000_000,
        description="the model's context window in tokens, for request and answer; unset: as its server reports it",
    )
    answer_tokens: int = Field(
        2_000,
        alias="ASSISTANT_ANSWER_TOKENS",
        ge=100,
        le=100_000,
        description="tokens of the window kept for the answer, at most a quarter of it",
    )
    instructions: str | None = Field(
        None,
        alias="ASSISTANT_INSTRUCTIONS",
        description="instructions in MLflow's prompt registry, like "
        "`prompts:/argocd-assistant-instructions@production`; unset: the built-in ones",
    )
    team_instructions: str | None = Field(
        None,
        alias="ASSISTANT_TEAM_INSTRUCTIONS",
        description="what a team adds to the instructions: text, or `@` and a file",
    )
    triage_applications: int = Field(
        10,
        alias="ASSISTANT_TRIAGE_APPLICATIONS",
        ge=0,
        le=1_000,
        description="Applications looked at closely for a question about all of them, the worst first",
    )
    redaction: bool = Field(
        True,
        alias="ASSISTANT_REDACTION",
        description="replace secrets before anything is sent, traced or logged",
    )
    body_limit_bytes: int = Field(
        20_000_000,
        alias="ASSISTANT_BODY_LIMIT_BYTES",
        ge=1_000,
        description="largest request body the server accepts",
    )
    heartbeat_seconds: float = Field(
        10.0,
        alias="ASSISTANT_HEARTBEAT_SECONDS",
        gt=0,
        le=60,
        description="silence after which a stream gets an SSE comment",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Give the environment precedence over the values of the code or the logged model."""
        return env_settings, init_settings

    @field_validator("llamastack_base_url", "lightspeed_url", "argocd_server", mode="after")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        """Return the address without its last slash. Refuses credentials: the address is shown in messages."""
        address = (value or "").strip().rstrip("/")
        if not address:
            return None
        try:
            parts = urlsplit(address if "://" in address else f"//{address}")
            invalid = not parts.hostname or (parts.port is not None and not parts.port)
        except ValueError:
            invalid = True
        if invalid or _NOT_IN_AN_ADDRESS.search(address):
            raise ValueError("must be a valid address, like https://server.example.com:8443")
        if "@" in address:
            raise ValueError("must not hold a user or password: the token has a setting of its own")
        return address

    @field_validator("llamastack_base_url", "lightspeed_url", mode="after")
    @classmethod
    def _is_http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value

    @field_validator("instructions", mode="after")
    @classmethod
    def _is_prompt(cls, value: str | None) -> str | None:
        if value is not None and not _PROMPT.fullmatch(value):
            raise ValueError("must be a prompt URI, like prompts:/name@alias or prompts:/name/1")
        return value

    @field_validator("team_instructions", mode="after")
    @classmethod
    def _is_text(cls, value: str | None) -> str | None:
        """Return the text itself, read from the file after an `@`."""
        if value is None or not value.startswith("@"):
            return value
        try:
            return Path(value[1:]).read_text(encoding="utf-8").strip() or None
        except (OSError, ValueError) as error:
            raise ValueError(f"the file {value[1:]!r} cannot be read ({type(error).__name__})") from None

    def model_post_init(self, context: Any, /) -> None:
        if (self.lightspeed_provider is None) != (self.lightspeed_model is None):
            raise SettingsError("LIGHTSPEED_PROVIDER and LIGHTSPEED_MODEL go together: set both or none")
        needed = {"llama-stack": "LLAMASTACK_BASE_URL", "lightspeed": "LIGHTSPEED_URL"}.get(self.provider)
        configured = {"llama-stack": self.llamastack_base_url, "lightspeed": self.lightspeed_url}
        if needed and not configured[self.provider]:
            raise SettingsError(f"ASSISTANT_PROVIDER is {self.provider!r}, but {needed} is not set")


# The settings that a logged model may carry: no secret, and no address of one installation.
MODEL_CONFIG_KEYS = frozenset(
    {
        "provider",
        "llamastack_model",
        "connect_timeout",
        "source_timeout",
        "cache_seconds",
        "provider_timeout",
        "turn_timeout",
        "provider_retries",
        "log_tail_lines_max",
        "log_lines",
        "context_tokens",
        "model_window",
        "answer_tokens",
        "instructions",
        "team_instructions",
        "redaction",
    }
)


def load_settings(defaults: Mapping[str, Any] | None = None) -> Settings:
    """Return the settings of this process: `defaults` by field name, overridden by the environment.

    Raises SettingsError naming the setting and what is wrong with it.
    """
    try:
        return Settings(**{Settings.model_fields[k].alias or k: v for k, v in (defaults or {}).items()})
    except KeyError as error:
        raise SettingsError(f"{error.args[0]!r} is no setting; there are: {', '.join(Settings.model_fields)}") from None
    except ValidationError as error:
        # Location and message only: the value may be a secret.
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'settings'}: {complaint(e)}" for e in error.errors())
        raise SettingsError(f"Invalid configuration: {wrong}") from None
