"""Several offers in one basket: which count, in which order, how far, and how it is said."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.core.text import Text
from chalicelib.offers.rules import (
    Applied,
    Asked,
    Basket,
    BasketInvalid,
    OfferTier,
    Stacking,
    VariantUnknown,
    price_basket,
)
from chalicelib.offers.rules.stacking import MAX_LINES, MAX_OFFERS
from tests.unit.offers.shop import TEA, TOFU, offer

TEA_ID, TOFU_ID = TEA.variant_id, TOFU.variant_id


def applied(offer_id: str, discount_bp: int | None, **stacking: Any) -> Applied:
    made = offer(offer_id=offer_id, title=Text(f"{offer_id}价", offer_id), stacking=Stacking(**stacking))
    return Applied(made, None if discount_bp is None else OfferTier("良好", discount_bp))


def basket(*offers: Applied, units: int = 1) -> Basket:
    """The same tea from each of these offers."""
    by_id = {entry.offer.offer_id: entry for entry in offers}
    return price_basket([Asked(offer_id, TEA_ID, units) for offer_id in by_id], by_id)


def told(found: Basket) -> list[tuple[str, str, int, int]]:
    return [(step.offer_id, step.code, step.wanted_fen, step.granted_fen) for step in found.steps]


def test_one_offer_alone() -> None:
    found = price_basket(
        [Asked("qingliu-summer", TEA_ID, 2), Asked("qingliu-summer", TOFU_ID, 1)],
        {"qingliu-summer": Applied(offer(), OfferTier("极好", 5000))},
    )
    assert (found.list_fen, found.payable_fen, found.discount_fen) == (21_200, 10_600, 10_600)
    assert told(found) == [("qingliu-summer", "applied", 10_600, 10_600)]
    assert found.steps[0].tier == "极好"
    assert found.steps[0].said == Text("“清流好物”减 106.00 元", "“Good things from Qingliu” takes 106.00 yuan off")


def test_offers_that_exclude_nobody_are_added_up_in_their_order() -> None:
    found = basket(applied("bb", 1000), applied("cc", 500, priority=1), applied("aa", 1000))
    assert [step.offer_id for step in found.steps] == ["cc", "aa", "bb"]
    assert [line.offer_id for line in found.lines] == ["bb", "cc", "aa"]
    assert found.discount_fen == 880 + 440 + 880


def test_of_a_group_the_one_counts_that_saves_more() -> None:
    found = basket(applied("aa", 500, exclusive_group="tea-day"), applied("bb", 1000, exclusive_group="tea-day"))
    assert told(found) == [("aa", "excluded-by-group", 440, 0), ("bb", "applied", 880, 880)]
    assert found.steps[0].said.zh == "“aa价”与“bb价”不能同时使用，已取更省的组合"
    assert [line.payable_fen for line in found.lines] == [8800, 7920]
    assert found.lines[0].funding == ()


@pytest.mark.parametrize(("aa", "bb", "winner"), [(1, 1, "aa"), (2, 1, "bb"), (1, 2, "aa")])
def test_among_equals_the_lower_priority_figure_then_the_earlier_id(aa: int, bb: int, winner: str) -> None:
    rules = {"exclusive_group": "tea-day"}
    found = basket(applied("bb", 500, priority=bb, **rules), applied("aa", 500, priority=aa, **rules))
    assert [step.offer_id for step in found.steps if step.granted_fen] == [winner]


def test_the_larger_discount_loses_where_its_cap_makes_it_save_less() -> None:
    found = basket(
        applied("aa", 5000, exclusive_group="tea-day", cap_fen=100), applied("bb", 1000, exclusive_group="tea-day")
    )
    assert told(found) == [("aa", "excluded-by-group", 4400, 0), ("bb", "applied", 880, 880)]


def test_an_offer_that_gives_nothing_excludes_nobody() -> None:
    found = basket(applied("aa", None, exclusive_group="tea-day"), applied("bb", 500, exclusive_group="tea-day"))
    assert told(found) == [("aa", "no-tier-reached", 0, 0), ("bb", "applied", 440, 440)]
    assert found.steps[0].tier is None
    assert "按标价" in found.steps[0].said.zh


@pytest.mark.parametrize(
    ("caps", "granted"),
    [
        ([{}, {}], [880, 4400]),
        ([{"cap_fen": 500}, {}], [500, 4400]),
        ([{}, {"cap_fen": 1000}], [880, 120]),
        ([{}, {"cap_fen": 700}], [880, 0]),
        ([{}, {"cap_bp": 1000}], [880, 880]),
        ([{"cap_bp": 100, "cap_fen": 5}, {"cap_bp": 200}], [5, 347]),
    ],
)
def test_an_offer_brings_the_discount_of_the_basket_up_to_its_cap(
    caps: list[dict[str, int]], granted: list[int]
) -> None:
    found = basket(applied("aa", 1000, **caps[0]), applied("bb", 5000, **caps[1]))
    assert [step.granted_fen for step in found.steps] == granted
    assert found.discount_fen == sum(granted)
    assert [line.discount_fen for line in found.lines] == granted
    assert [sum(part.fen for part in line.funding) for line in found.lines] == granted
    for step in found.steps:
        assert step.code == ("applied" if step.granted_fen == step.wanted_fen else "capped")
    if granted == [880, 120]:
        assert found.steps[1].said.en == "“bb” would take 44.00 yuan off; the basket's cap leaves 1.20"


def test_a_cap_cuts_the_last_lines_of_its_offer() -> None:
    capped = Applied(offer(stacking=Stacking(cap_fen=5000)), OfferTier("极好", 5000))
    asked = [Asked("qingliu-summer", TEA_ID, 1), Asked("qingliu-summer", TOFU_ID, 1)]
    found = price_basket(asked, {"qingliu-summer": capped})
    assert [line.discount_fen for line in found.lines] == [4400, 600]
    found = price_basket(asked[::-1], {"qingliu-summer": capped})
    assert [line.discount_fen for line in found.lines] == [1800, 3200]


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ([], "/lines"),
        ([Asked("aa", f"v{n}", 1) for n in range(MAX_LINES + 1)], "/lines"),
        ([Asked(f"o{n}", TEA_ID, 1) for n in range(MAX_OFFERS + 1)], "/lines"),
        ([Asked("aa", TEA_ID, 1), Asked("aa", TOFU_ID, 1), Asked("aa", TEA_ID, 2)], "/lines/2"),
        ([Asked("aa", TEA_ID, 1), Asked("aa", TOFU_ID, 0)], "/lines/1/units"),
    ],
)
def test_a_basket_that_is_none_is_refused(asked: list[Asked], pointer: str) -> None:
    with pytest.raises(BasketInvalid) as refused:
        price_basket(asked, {"aa": applied("aa", 100)})
    assert [fault.pointer for fault in refused.value.faults] == [pointer]


def test_goods_that_are_not_the_offers_are_refused() -> None:
    with pytest.raises(VariantUnknown):
        price_basket([Asked("aa", "coffee", 1)], {"aa": applied("aa", 100)})
