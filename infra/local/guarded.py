"""A program that listens on 127.0.0.1 and lives exactly as long as this process.

It runs under a small shell that waits for the end of a pipe. The pipe ends when ``stop`` closes it, and also when this
process dies in any way, ``kill -9`` included. (A death signal of the parent would do so on Linux only, and would also
strike when merely the thread that started the program ends.) The shell has a session of its own, so that a terminal's
Ctrl-C reaches the server first, and the program is there while the server finishes.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
START_SECONDS = 15
STOP_SECONDS = 10

# Descriptor 3 is the pipe, on which nothing is ever sent. Its reader ends the command; the shell ends with the command
# and takes the reader along. Only built-in commands: this must hold without a PATH.
_GUARD = """
exec 3<&0
"$@" 3<&- </dev/null & command=$!
{ read -r _ <&3; kill "$command"; } >/dev/null 2>&1 & reader=$!
exec 3<&-
wait "$command"; status=$?
kill "$reader" 2>/dev/null
exit "$status"
"""


class DatabaseFailed(RuntimeError):
    """The program ended, or did not answer in time; the text holds what it printed."""


class Guarded:
    """A running program, answering at ``endpoint``. It is told nothing of the user's AWS settings.

    Args:
        command: The program and its arguments; ``{port}`` stands for the free port that is chosen.

    Raises: DatabaseFailed: it ended at once, or did not listen within 15 s.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._output = tempfile.TemporaryFile()  # noqa: SIM115, closed by stop
        self._port = _free_port()
        self.endpoint = f"http://{HOST}:{self._port}"
        words = [word.replace("{port}", str(self._port)) for word in command]
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, words[0], *words],
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=self._output,
            env={**_without_aws(), "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull},
            cwd=ROOT,
            start_new_session=True,
        )
        try:
            self._wait_until_it_listens()
        except BaseException:
            self.stop()
            raise

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while self._guard.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection((HOST, self._port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        self._output.seek(0)
        said = self._output.read().decode(errors="replace").strip()
        raise DatabaseFailed(f"本地数据库未能启动 / the local database did not start: {said}")

    def stop(self) -> None:
        """Ends the program and waits for its end."""
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        try:
            self._guard.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._guard.pid, signal.SIGKILL)
            self._guard.wait()
        self._output.close()


def _without_aws() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
