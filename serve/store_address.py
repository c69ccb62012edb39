"""How MLflow's store is named in messages: by its address without a user and a password."""

from urllib.parse import urlsplit


def without_credentials(uri: str) -> str:
    """`uri` without its user, password, path and query; as it is where it names no host (`sqlite:///mlflow.db`)."""
    parts = urlsplit(uri)
    if not parts.hostname:
        return uri
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"
