"""A world of two cities for the tests of subjects."""

from __future__ import annotations

import pytest

from tests.conftest import Api
from tests.integration.subjects.world import SCALE, World


@pytest.fixture
def world(api: Api) -> World:
    made = World(api)
    for city_id in ("xiamen", "hangzhou"):
        made.found(city_id)
    assert api.post("/v1/cities/xiamen/scales", SCALE, token=made.city()).status == 201
    made.enter("xiamen", "library", "city-library", 1)
    made.enter("xiamen", "merchant", "qingliu-farm", 2)
    return made
