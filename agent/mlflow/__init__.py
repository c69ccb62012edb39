"""MLflow: the ResponsesAgent, its traces, the registry, evaluation."""
