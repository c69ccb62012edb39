"""The model from code: MLflow runs this file to load the assistant. Owns nothing else.

It runs under a name of MLflow's own, beside the logged `code/` folder. An `agent` package that this process already
holds (another version of the model, or a checkout) must not answer for this one (mlflow issue 4061).
"""

import sys
from pathlib import Path
from typing import Any, cast

code = Path(__file__).resolve().parent / "code"
if (code / "agent").is_dir():
    sys.path[:] = [str(code), *(entry for entry in sys.path if entry != str(code))]
    loaded = getattr(sys.modules.get("agent"), "__file__", None)
    if loaded and not Path(loaded).resolve().is_relative_to(code):
        for name in [name for name in sys.modules if name == "agent" or name.startswith("agent.")]:
            del sys.modules[name]

from mlflow.models import (  # noqa: E402
    Model,
    ModelConfig,
    set_model,  # pyright: ignore[reportUnknownVariableType]
)

from agent.mlflow.responses_agent import ArgoCDAssistant  # noqa: E402
from agent.mlflow.serving import serve_streams  # noqa: E402


def _defaults() -> dict[str, Any]:
    """The settings logged with the model, {} where it was logged without any."""
    try:
        return {**cast("dict[str, Any]", ModelConfig().to_dict())}
    except FileNotFoundError:  # what ModelConfig raises when no configuration was given
        return {}


def _model_id() -> str | None:
    """MLflow's id of the logged model that this file belongs to, None where it belongs to none."""
    logged = Path(__file__).resolve().with_name("MLmodel")
    if not logged.is_file():
        return None
    return Model.load(str(logged)).model_id  # pyright: ignore[reportUnknownMemberType]


assistant = ArgoCDAssistant.from_environment(_defaults(), model_id=_model_id())
serve_streams(assistant)
set_model(assistant)
