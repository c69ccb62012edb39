"""Logs the assistant to MLflow as a model from code and registers it. Owns what is logged; asks no provider.

What is logged: this package (`code_paths`), the pinned requirements (from `uv.lock` in a checkout), an input
example that is answered offline, and settings without secrets or addresses. It is logged in a run, which MLflow links
with the model, its version in the registry and the version of the instructions.
"""

# pyright: reportUnknownMemberType=false
# MLflow's own signatures are typed in part only.

import os
import shutil
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import requires, version
from pathlib import Path
from types import ModuleType
from typing import Any

import mlflow
import mlflow.tracing
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE
from packaging.requirements import Requirement

from agent.mlflow.experiments import use_experiment
from agent.mlflow.prompt_registry import register_built_in
from agent.mlflow.store import check_store
from agent.settings import MODEL_CONFIG_KEYS, load_settings

DEFAULT_MODEL_NAME = "argocd-assistant"
DEFAULT_ALIAS = "champion"
_EXTRA = "mlflow"
_ABOUT = (
    "Explains why an Argo CD Application or a Kubernetes resource is degraded, out of sync or failing, on what "
    "evidence, and what to do."
)
_EXPERIMENT = "Turns of Argo CD Assistant as traces, and the models that were logged."

# Answered from the manifest alone: the assistant needs neither a server nor a network for it.
INPUT_EXAMPLE: dict[str, Any] = {
    "input": [{"role": "user", "content": "Why is this Pod not running?"}],
    "custom_inputs": {
        "manifest": {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "checkout-7d9f8c6b5-x2x9k", "namespace": "shop"},
            "spec": {"containers": [{"name": "api", "image": "registry.example.com/checkout:1.4.2"}]},
            "status": {
                "phase": "Pending",
                "containerStatuses": [
                    {
                        "name": "api",
                        "ready": False,
                        "restartCount": 0,
                        "image": "registry.example.com/checkout:1.4.2",
                        "state": {
                            "waiting": {
                                "reason": "ErrImagePull",
                                "message": "manifest for registry.example.com/checkout:1.4.2 not found",
                            }
                        },
                    }
                ],
            },
        }
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """What was logged: `uri` of the alias (`models:/name@alias`), the version, where its experiment is, and the version
    of the built-in `instructions` in the prompt registry."""

    name: str
    version: str
    alias: str
    experiment_id: str
    tracking_uri: str
    instructions: str

    @property
    def uri(self) -> str:
        """The model by its alias, as `mlflow models serve` takes it."""
        return f"models:/{self.name}@{self.alias}"


def log_and_register(*, name: str | None = None, alias: str = DEFAULT_ALIAS) -> Registered:
    """Log and register the assistant in the tracking store of the environment (MLFLOW_TRACKING_URI); return what was
    registered.

    `name` defaults to MLFLOW_MODEL_NAME, then `argocd-assistant`; the experiment is MLFLOW_EXPERIMENT_NAME or the same
    name. Raises MlflowException when the store refuses, SettingsError when it needs a package that is not installed.
    """
    check_store()
    name = name or os.environ.get("MLFLOW_MODEL_NAME") or DEFAULT_MODEL_NAME
    experiment = use_experiment(os.environ.get("MLFLOW_EXPERIMENT_NAME") or name, _EXPERIMENT)
    instructions = register_built_in()
    package = Path(__file__).parents[1]
    model_config = _model_config()
    tags = {"version": version("argocd-assistant"), "instructions": instructions}
    client = mlflow.MlflowClient()
    with mlflow.start_run(run_name=f"Log {name} {tags['version']}", description=_ABOUT) as run:
        client.link_prompt_version_to_run(run.info.run_id, instructions)
        with _offline(), _own_modules(), mlflow.tracing.context(enabled=False):
            info = mlflow.pyfunc.log_model(
                name=DEFAULT_MODEL_NAME,
                python_model=str(package / "entrypoint.py"),
                code_paths=[str(package)],
                model_config=model_config,
                input_example=INPUT_EXAMPLE,
                registered_model_name=name,
                metadata={"package": "argocd-assistant"},
                prompts=[instructions],
                params=model_config,
                tags=tags,
                **_requirements(package.parent),
            )
    number = str(info.registered_model_version)
    client.set_logged_model_tags(info.model_id, {MLFLOW_RUN_NOTE: _ABOUT})
    client.set_registered_model_alias(name, alias, number)
    _describe(client, name, number, model_config, tags)
    return Registered(
        name=name,
        version=number,
        alias=alias,
        experiment_id=experiment.experiment_id,
        tracking_uri=mlflow.get_tracking_uri(),
        instructions=instructions,
    )


def _describe(
    client: mlflow.MlflowClient, name: str, number: str, model_config: Mapping[str, Any], tags: Mapping[str, str]
) -> None:
    """Give the version its description and its tags, and the model a description where it has none."""
    settings = ", ".join(f"`{key}: {value}`" for key, value in model_config.items())
    text = (
        f"argocd-assistant {tags['version']}. Its built-in instructions are `{tags['instructions']}`; the settings "
        f"logged with it are {settings}.\n\nServe it: `mlflow models serve -m models:/{name}/{number} "
        f"--env-manager local -p 5001`, or `argocd-assistant serve --model models:/{name}/{number}`."
    )
    client.update_model_version(name, number, description=text)
    for key, value in tags.items():
        client.set_model_version_tag(name, number, key, value)
    if not client.get_registered_model(name).description:
        client.update_registered_model(name, description=_ABOUT)


def _model_config() -> dict[str, Any]:
    """The settings of this environment that differ from the defaults and may be read by anyone."""
    changed = load_settings().model_dump(exclude_defaults=True)
    return {key: value for key, value in changed.items() if key in MODEL_CONFIG_KEYS} or {"provider": "auto"}


@contextmanager
def _offline() -> Generator[None]:
    """No provider and no source while MLflow tries the input example: logging needs no server to be up."""
    ours = ("LLAMASTACK_", "LIGHTSPEED_", "ARGOCD_", "ASSISTANT_")
    before = {key: value for key, value in os.environ.items() if key.startswith(ours)}
    for key in before:
        del os.environ[key]
    os.environ |= {"ASSISTANT_PROVIDER": "offline", "ASSISTANT_KUBERNETES": "off"}
    try:
        yield
    finally:
        for key in ("ASSISTANT_PROVIDER", "ASSISTANT_KUBERNETES"):
            os.environ.pop(key, None)
        os.environ.update(before)


@contextmanager
def _own_modules() -> Generator[None]:
    """MLflow loads what it logs to try it, which puts the copy of this package in the place of the one that runs."""

    def ours() -> dict[str, ModuleType]:
        return {name: module for name, module in sys.modules.items() if name == "agent" or name.startswith("agent.")}

    modules, path = ours(), list(sys.path)
    try:
        yield
    finally:
        for name in ours():
            del sys.modules[name]
        sys.modules.update(modules)
        sys.path[:] = path


def _requirements(checkout: Path) -> Mapping[str, Any]:
    """The requirements: of the checkout's `uv.lock`, or of this package's metadata where there is none, or no uv.

    With MLflow in full: the model is served wherever its store is.
    """
    if not (checkout / "uv.lock").is_file() or shutil.which("uv") is None:
        return {"pip_requirements": [str(each) for each in _required()]}
    return {"uv_project_path": str(checkout), "uv_extras": [_EXTRA]}


def _required() -> Generator[Requirement]:
    """The requirements of this package and its extra for this platform, without their conditions."""
    for text in requires("argocd-assistant") or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": _EXTRA}):
            requirement.marker = None  # pip would skip what only an extra needs
            yield requirement
