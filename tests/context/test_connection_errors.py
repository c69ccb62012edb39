"""Why a server could not be reached, of the errors that the HTTP libraries really raise."""

import pytest
import requests
import urllib3

from agent.context.connection_errors import why_unreachable
from tests.fakes.server import PATIENCE, closed_port


def test_a_closed_port_refuses() -> None:
    address = f"http://127.0.0.1:{closed_port()}"
    with pytest.raises(requests.ConnectionError) as refused:
        requests.get(address, timeout=PATIENCE)
    with pytest.raises(urllib3.exceptions.MaxRetryError) as also:
        urllib3.PoolManager(retries=0).request("GET", address)

    assert why_unreachable(refused.value) == why_unreachable(also.value) == "connection refused"


def test_a_name_without_address_is_not_found() -> None:
    with pytest.raises(requests.ConnectionError) as lost:
        requests.get("http://argocd.invalid", timeout=PATIENCE)

    assert why_unreachable(lost.value) == "name not found"


def test_of_other_errors_nothing_is_said() -> None:
    assert why_unreachable(ValueError("odd", 5)) == ""
