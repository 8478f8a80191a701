"""The demo bank's policy gets in force as any policy does: written, submitted, approved the day before it begins."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.core import clock
from infra.local import demo_clinic
from tests.world import BANK, World


def states(world: World) -> list[str]:
    world.forget()
    answer = world.send("GET", demo_clinic.POLICIES, BANK)
    return [item["state"] for item in answer.body["items"]]


def test_the_policy_is_in_force_once(own_world: World) -> None:
    demo_clinic.load_policy(own_world.client)
    assert states(own_world) == ["in_force"]
    before = own_world.items()
    demo_clinic.load_policy(own_world.client)
    assert own_world.items() == before


@pytest.mark.parametrize("days", [0, 1, 40])
@pytest.mark.parametrize("steps", [1, 2])
def test_loading_goes_on_where_it_was_interrupted(
    own_world: World, monkeypatch: pytest.MonkeyPatch, steps: int, days: int
) -> None:
    """Also if that was on another day."""
    then = clock.now() - timedelta(days=days)
    with monkeypatch.context() as patch, clock.fixed(then - timedelta(days=2)):
        patch.setattr(demo_clinic, "now", lambda: then)
        demo_clinic.draft(own_world.client)
        for step in ("submit",)[: steps - 1]:
            demo_clinic.move(own_world.client, step)
    demo_clinic.load_policy(own_world.client)
    assert states(own_world) == ["in_force"]
