"""The demo for the tests of this folder."""

from __future__ import annotations

from tests.world import own_world, world

__all__ = ["own_world", "world"]
