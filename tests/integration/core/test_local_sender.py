"""The local schedule: a function that fails is woken again."""

from __future__ import annotations

import io
import threading
from typing import Any

import pytest

from chalicelib.core import log
from infra.local.sender import Sender

SECRET = "350200199001011234"


def test_a_tick_that_fails_is_logged_without_its_message_and_the_next_one_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said, woken = io.StringIO(), threading.Event()
    monkeypatch.setattr(log, "sink", said)
    times = iter(range(10))

    def handler(_: dict[str, Any], __: Any) -> dict[str, Any]:
        if next(times) == 0:
            raise OSError(SECRET)
        woken.set()
        return {}

    sender = Sender(handler, 0.01, 0.01)
    sender.start()
    assert woken.wait(5)
    sender.stop()
    assert '"error_type": "OSError"' in said.getvalue()
    assert SECRET not in said.getvalue()
