"""The demo's world, for the tests of offers."""

from tests.world import own_world, world

__all__ = ["own_world", "world"]
