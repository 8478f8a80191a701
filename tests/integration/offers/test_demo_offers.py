"""The demo's offers get to the shelf as anybody's do, and the unfair one does not."""

from __future__ import annotations

import pytest

from infra.local import demo_offers
from infra.local.demo_data.tables import document
from tests.world import World

SHELF = ["pengyang-millet", "qingliu-tea", "qingliu-tofu-skin", "zogang-barley"]


def shelf(world: World) -> dict[str, list[int]]:
    """List price from, to, and the best price of what the catalogue shows."""
    world.forget()
    items = world.get("/v1/cities/xiamen/catalogue?district=jimei")["items"]
    assert all(item["illustrative"] for item in items)
    return {item["offer_id"]: [item["list_from_fen"], item["best_fen"]] for item in items}


def test_the_demos_offers_are_on_the_shelf_once(own_world: World) -> None:
    demo_offers.load_offers(own_world.client)
    assert shelf(own_world) == {
        "pengyang-millet": [6900, 3450], "qingliu-tea": [8800, 4400], "qingliu-tofu-skin": [3600, 1800],
        "zogang-barley": [4500, 2250],
    }  # fmt: skip
    before = own_world.items()
    demo_offers.load_offers(own_world.client)
    assert own_world.items() == before


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_loading_goes_on_where_it_was_interrupted(own_world: World, steps: int) -> None:
    entry = document("offers.json")[0]
    demo_offers.draft(own_world.client, entry)
    for step in ("submit", "approve", "schedule")[: steps - 1]:
        demo_offers.move(own_world.client, entry, step)
    demo_offers.load_offers(own_world.client)
    assert sorted(shelf(own_world)) == SHELF


def test_REWARD_the_unfair_table_is_refused_in_one_sentence(own_world: World) -> None:
    refused = demo_offers.submit_unfair(own_world.client)
    assert (refused.status, refused.body["code"]) == (422, "offer-lint-refused")
    (error,) = refused.body["errors"]
    assert error["pointer"] == "/tiers/2"
    assert error["detail_zh"] == ("“优秀”买“高山绿茶 100 克”付 80.96 元，比“良好”的 79.20 元还多：信用更好，反而更贵")
