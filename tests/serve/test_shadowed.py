"""A file `agent.py` of the user's own is named."""

import subprocess
import sys
from pathlib import Path


def test_a_file_that_hides_the_package_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text("x = 1\n")

    done = subprocess.run(
        [sys.executable, "-m", "serve"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 2
    assert f"error: {tmp_path / 'agent.py'} hides the package `agent`" in done.stderr
