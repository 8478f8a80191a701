"""The demo's world with a bank and two hospitals in it, for the tests of medical credit."""

from __future__ import annotations

import pytest

from app import app
from chalicelib.core import clock
from chalicelib.medical.routes import routes
from tests.integration.medical.clinic import Clinic
from tests.integration.medical.reception import Reception
from tests.one_day import one_day
from tests.world import World, own_world, world

__all__ = ["one_day", "own_world", "world"]

if "/v1/credit-holds" not in app.routes:
    app.register_blueprint(routes.blueprint)


@pytest.fixture(scope="module")
def clinic(world: World) -> Clinic:
    return Clinic(world)


@pytest.fixture(scope="module")
def reception(clinic: Clinic) -> Reception:
    return Reception(clinic)


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "sleep", lambda seconds: None)
