"""Which versions run here."""

import platform
from functools import cache
from importlib.metadata import version


@cache
def versions() -> dict[str, str]:
    """Versions of this package, MLflow and Python, by name."""
    return {
        "argocd-assistant": version("argocd-assistant"),
        "mlflow": version("mlflow-skinny"),  # the full package pins the same version
        "python": platform.python_version(),
    }
