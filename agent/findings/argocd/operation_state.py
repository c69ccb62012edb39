"""Where an Application's status keeps its last operation, and whether that failed."""

from agent.findings.engine.applications import Application

OPERATION = ("status", "operationState")
RESULTS = (*OPERATION, "syncResult", "resources")


def operation_failed(application: Application) -> bool:
    """Whether the last operation failed: then its own findings report what a SyncError condition repeats."""
    return application.text(*OPERATION, "phase") in ("Failed", "Error")
