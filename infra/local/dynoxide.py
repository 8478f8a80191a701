"""Dynoxide, the program: which build is trusted, and how it gets here.

npm fetches the pinned version; no script of the package is run, and the program is run only while its SHA-256 is the
one below, checked at every start. A lock file of npm would pin the archive on its way in, but not what is run later.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from chalicelib.core.text import Text

VERSION = "1.2.1"
# Only what is listed is installed. To add a platform: npm install @dynoxide/<platform>@<version>, sha256sum the file.
SHA256 = {"linux-x64": "be909b7910d3fb552e85db10ef3c8ebae4bd35fee0f26dffdb6dfa5cc656426e"}
INSTALL_SECONDS = 180


class NotToBeHad(Exception):
    """Dynoxide cannot be installed here; ``reason`` says why, in both languages."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason.en)
        self.reason = reason


def installed(folder: Path) -> Path | None:
    """The program in ``folder`` if it is there and is the one that is trusted."""
    program = folder / f"dynoxide-{VERSION}"
    return program if _trusted(program) else None


def install(folder: Path, say: Callable[[Text], None]) -> Path:
    """Fetches the program into ``folder`` with npm, and says so first.

    Raises:
        NotToBeHad: no build for this platform is pinned; npm is missing; npm failed (no network, no such package); the
            program is not the pinned one (it is not kept); in this order.
    """
    name = platform_name()
    if name not in SHA256:
        said = Text("没有为 {name} 核对过的版本", "no build for {name} is pinned")
        raise NotToBeHad(said.format(name=name))
    npm = shutil.which("npm")
    if npm is None:
        raise NotToBeHad(Text("没有找到 npm", "npm is not on the PATH"))
    say(Text("正在用 npm 安装 Dynoxide……", "Installing Dynoxide with npm …"))
    folder.mkdir(parents=True, exist_ok=True)
    # A folder of its own and one rename at the end: two that install at once do not meet.
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        _npm_install(npm, Path(scratch), f"@dynoxide/{name}@{VERSION}")
        fetched = Path(scratch, "node_modules", "@dynoxide", name, "dynoxide")
        if not _trusted(fetched):
            raise NotToBeHad(Text("下载的程序与核对值不符，未运行", "what npm fetched is not the pinned program"))
        fetched.chmod(0o755)
        return fetched.replace(folder / f"dynoxide-{VERSION}")


def platform_name() -> str:
    """This computer as npm names it: ``linux-x64``, ``darwin-arm64``, …"""
    machine = platform.machine().lower()
    return f"{sys.platform}-{ {'x86_64': 'x64', 'amd64': 'x64', 'aarch64': 'arm64'}.get(machine, machine) }"


def _trusted(program: Path) -> bool:
    wanted = SHA256.get(platform_name())
    return program.is_file() and hashlib.sha256(program.read_bytes()).hexdigest() == wanted


def _npm_install(npm: str, scratch: Path, package: str) -> None:
    command = [npm, "install", "--prefix", str(scratch), "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        subprocess.run([*command, package], cwd=scratch, check=True, capture_output=True, timeout=INSTALL_SECONDS)
    except (OSError, subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = Text("npm 未能安装 {package}，可能没有网络", "npm could not install {package}; is there a network?")
        raise NotToBeHad(said.format(package=package)) from error
