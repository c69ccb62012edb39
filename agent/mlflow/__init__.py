"""MLflow: the ResponsesAgent, its traces, the registry, evaluation."""

import warnings

with warnings.catch_warnings():
    # MLflow warns of the type hints of its own classes while it is imported.
    warnings.simplefilter("ignore")
    import mlflow.pyfunc.model  # noqa: F401

# MLflow's store of traces uses a deprecated option of SQLAlchemy; with warnings as errors no trace would begin.
warnings.filterwarnings("ignore", message="The ``noload`` loader strategy is deprecated", category=DeprecationWarning)
