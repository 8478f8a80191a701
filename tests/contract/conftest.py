"""The release package, built once for all tests that look at it."""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.package import ROOT, build


@dataclass(frozen=True)
class Package:
    """What ``make package`` writes."""

    archive: Path
    template: Path

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.template.read_text("utf-8"))
        return document


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """Takes some twenty seconds. Workers of one parallel run share it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    out = shared / "release"
    with (shared / "release.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (out / "built").exists():
            _need_a_package_index(shared)
            build(out)
            (out / "built").touch()
    return Package(out / "deployment.zip", out / "sam.json")


def _need_a_package_index(folder: Path) -> None:
    pin = re.search(r"^[\w.-]+==[\w.]+", (ROOT / "requirements.txt").read_text("utf-8"), re.M)
    assert pin is not None
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--dest", str(folder / "probe"), pin[0]]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("pip reaches no package index, so no release can be packaged here")
