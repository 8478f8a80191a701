"""What a schedule does in a deployed stage: wakes a function again and again, be it the one that calls the banks' cores
or the one that does whatever has its day."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from chalicelib.core import log

TICK_SECONDS = 2.0
HOUR_SECONDS = 3600.0

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


class Sender:
    """One of the app's own functions, once every ``seconds``, and first after ``wait_seconds``. ``tick`` may be called
    beside the running thread."""

    def __init__(self, handler: Handler, seconds: float = TICK_SECONDS, wait_seconds: float = TICK_SECONDS) -> None:
        self._handler = handler
        self._seconds = seconds
        self._wait_seconds = wait_seconds
        self._over = threading.Event()
        self._one_at_a_time = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)

    def start(self) -> None:
        """Goes on by itself from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Ends after the tick under way."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def tick(self) -> dict[str, Any]:
        """Sends what is due now; what the function said of it."""
        with self._one_at_a_time:
            return self._handler({}, None)

    def _run(self) -> None:
        wait_seconds = self._wait_seconds
        while not self._over.wait(wait_seconds):
            try:
                self.tick()
            except Exception as error:
                # A schedule wakes its function again, whatever became of it.
                log.crash(error)
            wait_seconds = self._seconds
