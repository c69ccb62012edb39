"""Whether the installed packages can use MLflow's store. Owns the check and its message.

`mlflow-skinny` uses a store through an MLflow server. A store in a database, such as MLflow's default `sqlite:///`,
needs SQLAlchemy, which comes with the full package.
"""

from importlib.util import find_spec
from urllib.parse import urlsplit

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.store.db.db_types import DATABASE_ENGINES

from agent.errors import SettingsError


def check_store() -> None:
    """Raises SettingsError when the store of MLFLOW_TRACKING_URI needs a package that is not installed."""
    if reason := missing_package():
        raise SettingsError(f"{reason}, or set MLFLOW_TRACKING_URI to an MLflow server (http://...)")


def missing_package() -> str:
    """Why the store of MLFLOW_TRACKING_URI cannot be used with what is installed; "" where it can."""
    engine = urlsplit(mlflow.get_tracking_uri()).scheme.partition("+")[0]  # of mysql+pymysql
    if engine not in DATABASE_ENGINES or _has_sqlalchemy():
        return ""
    return (
        f"MLflow's store is a database ({engine}), which needs MLflow's full package: "
        "pip install 'argocd-assistant[mlflow]'"
    )


def store_errors() -> tuple[type[Exception], ...]:
    """What MLflow raises when its store fails: its own errors, and those of SQLAlchemy where that is installed."""
    if not _has_sqlalchemy():
        return (MlflowException,)
    from sqlalchemy.exc import SQLAlchemyError

    return MlflowException, SQLAlchemyError


def _has_sqlalchemy() -> bool:
    return find_spec("sqlalchemy") is not None
