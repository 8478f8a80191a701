"""For tests of what somebody may have on a day: Xiamen's midnight does not come in between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from chalicelib.core import clock
from infra.local.demo import to_midnight

ROOM = timedelta(minutes=2)


@pytest.fixture(autouse=True)
def one_day() -> Iterator[None]:
    """Puts the clock past midnight where that is near."""
    with clock.ahead(to_midnight(clock.now(), ROOM)):
        yield
