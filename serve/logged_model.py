"""Loads a logged assistant from MLflow, or reports in a sentence why it cannot be loaded."""

import contextlib
import os
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from agent.errors import SettingsError
from serve.store_address import without_credentials

if TYPE_CHECKING:
    from agent.mlflow.responses_agent import ArgoCDAssistant

# By default MLflow retries a server that does not answer for some four minutes.
_RETRIES = "2"
_NOT_THERE = {
    "Registered Model with name": "there is no such model in {store}",
    "Registered model alias": "the model has no such alias in {store}",
    "Model Version": "the model has no such version in {store}",
    "No versions of model": "the model has no version in {store}",
    "Logged model with ID": "there is no such model in {store}",
    "Run with id": "there is no such run in {store}",
    "No such artifact": "there is no model",
}


def load_logged(model: str) -> "ArgoCDAssistant":
    """The assistant behind an MLflow model URI (`models:/argocd-assistant@champion`).

    Raises SettingsError when the store cannot be reached, when the model, its version or its alias is missing, and
    when it is not an Argo CD Assistant, and when the store needs a package that is not installed.
    """
    import mlflow

    from agent.mlflow.store import check_store, store_errors

    check_store()
    try:
        with _bounded_retries():
            loaded = mlflow.pyfunc.load_model(model)
    except store_errors() as error:
        raise SettingsError(f"--model {model}: {_why(error)}") from error
    except ModuleNotFoundError as error:
        raise SettingsError(f"--model {model}: needs the module {error.name!r}, which is not installed") from error
    # `unwrap_python_model` refuses a ResponsesAgent.
    implementation: Any = loaded._model_impl  # pyright: ignore[reportPrivateUsage]
    assistant: Any = implementation.get_raw_model() if hasattr(implementation, "get_raw_model") else None
    if type(assistant).__name__ != "ArgoCDAssistant":  # by name: the class comes from the code of the model
        raise SettingsError(f"--model {model}: is no Argo CD Assistant")
    return assistant


def _why(error: Exception) -> str:
    """The reason, without the messages of clients: they contain addresses with their passwords."""
    import mlflow
    import requests
    from mlflow import MlflowException

    store = without_credentials(mlflow.get_registry_uri())
    if isinstance(error.__context__, requests.RequestException) or not isinstance(error, MlflowException):
        return f"MLflow's store {store} cannot be reached: check MLFLOW_TRACKING_URI"
    if message := getattr(error.__cause__, "public_message", ""):
        return message  # a setting that the code of the model refuses
    text = str(error)
    for beginning, reason in _NOT_THERE.items():
        if text.startswith(beginning):
            return reason.format(store=store)
    if "Models URIs must be of the form" in text or "registered artifact repository" in text:
        return "must be an MLflow model URI, like models:/argocd-assistant@champion"
    code = getattr(error, "error_code", type(error).__name__)
    return f"MLflow could not load it ({code}): check it, and MLFLOW_TRACKING_URI ({store})"


@contextlib.contextmanager
def _bounded_retries() -> Generator[None]:
    name = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
    if name in os.environ:
        yield
        return
    os.environ[name] = _RETRIES
    try:
        yield
    finally:
        del os.environ[name]
