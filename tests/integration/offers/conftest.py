"""The demo's world, for the tests of offers."""

from tests.one_day import one_day
from tests.world import own_world, world

__all__ = ["one_day", "own_world", "world"]
