"""Argo CD Assistant: why a resource is degraded, out of sync or failing, on what evidence, and what to do.

The public names are loaded with their first use, so that `import agent` stays cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.errors import AssistantError, ProviderError, RequestError, SessionError, SettingsError
    from agent.mlflow.responses_agent import ArgoCDAssistant, PredictError
    from agent.settings import Settings, load_settings
    from agent.turn.assistant import Assistant
    from agent.turn.parse import parse_question

__all__ = [
    "ArgoCDAssistant",
    "Assistant",
    "AssistantError",
    "PredictError",
    "ProviderError",
    "RequestError",
    "SessionError",
    "Settings",
    "SettingsError",
    "load_settings",
    "parse_question",
]

_MODULES = {
    "ArgoCDAssistant": "agent.mlflow.responses_agent",
    "Assistant": "agent.turn.assistant",
    "AssistantError": "agent.errors",
    "PredictError": "agent.mlflow.responses_agent",
    "ProviderError": "agent.errors",
    "RequestError": "agent.errors",
    "SessionError": "agent.errors",
    "SettingsError": "agent.errors",
    "Settings": "agent.settings",
    "load_settings": "agent.settings",
    "parse_question": "agent.turn.parse",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'agent' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
