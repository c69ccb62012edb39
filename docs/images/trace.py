# /// script
# requires-python = ">=3.12"
# dependencies = ["pillow>=11", "playwright>=1.50"]
# ///
"""Draws the picture of a trace in MLflow that the README shows; `make pictures` runs it.

It runs the demo in a temporary folder, opens MLflow's UI on what the demo stored, and takes a screenshot of the first
trace in Chromium.

The PNG holds the text of the page under "shown", so that `tests/docs/test_picture.py` can compare it with the answer of
today.
"""

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).with_name("trace.png")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
START_SECONDS = 60
VIEWPORT = {"width": 1440, "height": 960}


def main() -> None:
    """Draws the picture, or ends with a sentence about what is missing."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit(f"No browser is on the PATH ({', '.join(BROWSERS)}): install Chromium")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["argocd-assistant", "demo"], cwd=folder, check=True)  # noqa: S607 - `make` sets the PATH
        store = Path(folder) / ".demo" / "mlflow.db"
        with mlflow_ui(store) as address:
            draw(browser, address, *first_trace(store))


def first_trace(store: Path) -> tuple[str, str]:
    """The experiment and the id of the first trace in the database."""
    with closing(sqlite3.connect(store)) as connection:
        query = "SELECT experiment_id, request_id FROM trace_info ORDER BY timestamp_ms LIMIT 1"
        experiment, trace = connection.execute(query).fetchone()
    return str(experiment), str(trace)


@contextmanager
def mlflow_ui(store: Path) -> Iterator[str]:
    """MLflow's UI on a free port: its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = ["mlflow", "ui", "--backend-store-uri", f"sqlite:///{store}", "--port", str(port), "--workers", "1"]
    process = subprocess.Popen(command, cwd=store.parent, start_new_session=True)  # noqa: S603 - our own command line
    try:
        wait_for(f"{address}/health", process)
        yield address
    finally:
        os.killpg(process.pid, 15)
        process.wait()


def wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    """Return when `url` answers. Ends the script when the process does, or after START_SECONDS."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - an address of this machine
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.2)
    sys.exit("MLflow's UI did not start")


def draw(browser: str, address: str, experiment: str, trace: str) -> None:
    """Write PICTURE."""
    with sync_playwright() as playwright:
        sandbox = os.geteuid() != 0  # Chromium has none for root
        chromium = playwright.chromium.launch(executable_path=browser, chromium_sandbox=sandbox)
        page = chromium.new_page(viewport=VIEWPORT)
        traces = f"{address}/#/experiments/{experiment}/traces"
        page.goto(traces)
        page.get_by_text("Got it").click()  # a hint that MLflow shows once, above everything
        page.goto(f"{traces}?selectedEvaluationId={trace}")
        panel = page.get_by_role("dialog")
        panel.get_by_text("Assistant", exact=True).wait_for()
        shown = panel.inner_text()
        picture = panel.screenshot(animations="disabled")
        chromium.close()
    info = PngInfo()
    info.add_text("shown", shown.encode("ascii", "replace").decode())
    Image.open(BytesIO(picture)).convert("RGB").quantize(128).save(PICTURE, optimize=True, pnginfo=info)


if __name__ == "__main__":
    main()
