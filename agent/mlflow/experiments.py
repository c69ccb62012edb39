"""The experiments of MLflow that hold what the assistant stores: made on first use, with a description for the list."""

# pyright: reportUnknownMemberType=false
# MLflow's own signatures are typed in part only.

import mlflow
from mlflow.entities import Experiment
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

# The description of an experiment is the same tag as that of a run.
_DESCRIPTION = MLFLOW_RUN_NOTE


def use_experiment(name: str, about: str) -> Experiment:
    """Make the experiment the active one, create it where there is none, and describe it where it has no description.

    Raises MlflowException when the store refuses.
    """
    experiment = mlflow.set_experiment(name)
    if _DESCRIPTION not in experiment.tags:
        mlflow.MlflowClient().set_experiment_tag(experiment.experiment_id, _DESCRIPTION, about)
    return experiment
