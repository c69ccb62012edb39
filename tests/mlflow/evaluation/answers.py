"""A scenario in a folder, and answers to it as an assistant might give them."""

from pathlib import Path
from typing import Any

import yaml

from agent.findings.model import Evidence, EvidenceSource, Finding
from agent.mlflow.evaluation.verdicts import Answer
from agent.objects.target import ResourceRef

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web-0", "namespace": "shop"},
    "spec": {"containers": [{"name": "web", "image": "registry.example.com/web:2.0"}]},
    "status": {
        "phase": "Pending",
        "containerStatuses": [
            {
                "name": "web",
                "ready": False,
                "restartCount": 0,
                "state": {"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "db" not found'}},
            }
        ],
    },
}
EXPECTED: dict[str, Any] = {
    "family": "pods",
    "question": "Why does it not start?",
    "cause": {"resource": "Pod/web-0", "says": ["Secret", "db", "not exist | missing"]},
    "evidence": [{"source": ["manifest", "event"], "text": 'secret "db" not found'}],
    "forbidden": ["image"],
}


def write_scenario(folder: Path, name: str = "pods-secret", **files: Any) -> Path:
    """A scenario's folder; `files` by their stem are written beside the Pod and what is expected of it."""
    path = folder / name
    (path / "logs").mkdir(parents=True)
    for stem, content in ({"expected": EXPECTED, "manifest": POD} | files).items():
        (path / f"{stem}.yaml").write_text(yaml.safe_dump(content))
    return path


def finding(
    title: str = "Container web waits for the Secret db, which does not exist",
    *,
    resource: str = "Pod/web-0",
    explanation: str = "The kubelet cannot start it.",
    source: EvidenceSource = "manifest",
    quoted: str = 'secret "db" not found',
    next_steps: tuple[str, ...] = (),
) -> Finding:
    kind, _, name = resource.partition("/")
    return Finding(
        title=title,
        severity="error",
        explanation=explanation,
        evidence=(Evidence(source=source, path="status", text=quoted),),
        next_steps=next_steps,
        resource=ResourceRef(kind=kind, name=name, namespace="shop"),
        level="cause",
    )


def answer(*findings: Finding, text: str | None = None, unresolved: tuple[Evidence, ...] = ()) -> Answer:
    """The answer that findings make by themselves, or that of a model that says `text`."""
    return Answer(
        text=text if text is not None else "\n\n".join(f"{f.title}\n{f.explanation}" for f in findings),
        findings=findings,
        unresolved=unresolved,
        by_model=text is not None,
        provider="offline" if text is None else "llama-stack",
        model="",
        tokens=100,
        tokens_estimated=True,
        seconds=0.1,
    )
