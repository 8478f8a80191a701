"""What a move changes besides an offer's life: its counters, the catalogue, and what the city's stop leaves open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.cities.store import load_control
from chalicelib.core import clock, ids, table
from chalicelib.core.commit import Unit
from chalicelib.core.text import Text
from chalicelib.offers import store
from chalicelib.offers.rules import Offer, OfferNotLive, OfferStopped, Product, Variant, catalogue, counters, heads
from chalicelib.offers.rules.catalogue import CHUNK_MAX_BYTES, chunk_number
from chalicelib.offers.rules.counters import MAX_COUNTERS
from chalicelib.offers.store.counters import SeenCounter, Use, budget_key, load_counters, stock_key
from tests.integration.core.faults import CONFLICT, FAILED, Fault, cancelled, inject, lost_after, lost_before
from tests.integration.offers.counter import Desk
from tests.integration.offers.market import head_of
from tests.integration.scenarios.test_publishing import BEIJING
from tests.integration.scenarios.test_publishing import table as next_table
from tests.unit.offers.shop import TEA, TOFU, percent
from tests.world import World

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def desk(world: World) -> Desk:
    return Desk(world)


def counted(offer: Offer) -> dict[str, SeenCounter]:
    """Every counter of an offer, by its sort key without its first word."""
    there = load_counters(offer.city_id, offer.merchant_id, offer.offer_id)
    return {key.sk.removeprefix("stock#"): seen for key, seen in there.items()}


def key_of(offer: Offer, variant: Variant = TOFU) -> table.Key:
    return stock_key(offer.city_id, offer.merchant_id, offer.offer_id, variant.variant_id)


def used(offer: Offer, units: int, version: int = 1, bucket: int = 0) -> None:
    """Some tofu skin is redeemed, or held until ``bucket``."""
    unit = Unit()
    if bucket:
        store.counters.hold(unit, Use(key_of(offer), units, version), bucket)
    else:
        store.counters.take(unit, Use(key_of(offer), units, version))
    unit.commit()


def goods(*variants: Variant) -> tuple[Product, ...]:
    return tuple(Product(one.variant_id, one.name, (one,)) for one in variants)


def shown(offer: Offer) -> dict[int, catalogue.Entry]:
    key = f"{offer.merchant_id}/{offer.offer_id}"
    number = chunk_number(key)
    rows = table.fetch([store.chunk_key(offer.city_id, number)])
    return catalogue.shown(store.chunk_in(rows, offer.city_id, number), key)


def test_LIMIT_the_counters_are_there_when_the_offer_is(desk: Desk) -> None:
    made = desk.offer(budget_fen=100_000)
    version = desk.drafted(made)
    desk.moved(made, version, "submit", "approve")
    assert counted(made) == {}
    desk.moved(made, version, "schedule")
    assert {name: seen.counter for name, seen in counted(made).items()} == {
        "budget": counters.Counter.of(100_000),
        TEA.variant_id: counters.Counter.of(200),
        TOFU.variant_id: counters.Counter.of(500),
    }


def test_LIMIT_the_next_version_says_how_much_there_is_in_all(desk: Desk) -> None:
    made = desk.offer()
    desk.shelved(made)
    used(made, 30)
    lapsed = int((clock.now() - DAY).timestamp())
    used(made, 20, bucket=lapsed)
    desk.shelved(replace(made, products=goods(replace(TOFU, stock=40), replace(TEA, variant_id="tea-200g"))))
    after = counted(made)
    assert after[TOFU.variant_id].counter == counters.Counter(40, 10, 30, {})
    assert after[TEA.variant_id].counter == counters.Counter.of(200)
    assert after["tea-200g"].counter == counters.Counter.of(200)


def test_LIMIT_no_version_takes_back_what_was_given(desk: Desk) -> None:
    made = desk.offer()
    desk.shelved(made)
    used(made, 30)
    used(made, 20, bucket=int((clock.now() + DAY).timestamp()))
    desk.drafted(replace(made, products=goods(replace(TOFU, stock=49))))
    desk.moved(made, 2, "submit", "approve")
    refused = desk.move(made, 2, "schedule")
    assert (refused.status, refused.code) == (409, "cap-below-use")
    assert "“清流嵩溪豆腐皮 250 克”已核销和已预留 50 件" in refused.body["detail_zh"]
    assert (counted(made)[TOFU.variant_id].counter.cap, heads.require_in_force(head_of(made), clock.now())) == (500, 1)


def test_a_budget_below_what_was_given_is_told_in_yuan(desk: Desk) -> None:
    made = desk.offer(budget_fen=100_000)
    desk.shelved(made)
    unit = Unit()
    key = budget_key(made.city_id, made.merchant_id, made.offer_id)
    store.counters.take(unit, Use(key, 36_050, 1))
    unit.commit()
    desk.drafted(replace(made, budget_fen=36_049))
    desk.moved(made, 2, "submit", "approve")
    assert "360.50" in desk.move(made, 2, "schedule").body["detail"]


def test_a_pause_and_its_end_leave_the_counters_alone(desk: Desk) -> None:
    made = desk.offer()
    desk.shelved(made)
    used(made, 7)
    before = counted(made)
    desk.moved(made, 1, "pause", "resume")
    assert counted(made) == before


def test_a_version_that_is_resumed_does_not_undo_what_the_next_one_says(desk: Desk) -> None:
    made = desk.offer()
    desk.shelved(made)
    later = replace(made, valid_from=made.valid_to - DAY, products=goods(replace(TOFU, stock=900)))
    desk.shelved(later)
    desk.moved(made, 1, "pause", "resume")
    assert counted(made)[TOFU.variant_id].counter.cap == 900
    assert desk.seen().count(made.offer_id) == 1


def test_more_goods_than_a_stop_can_reach_are_refused(desk: Desk) -> None:
    def version(first: int, last: int) -> tuple[Product, ...]:
        numbered = (replace(TEA, variant_id=f"tea-{n}", name=Text(f"茶 {n}", f"tea {n}")) for n in range(first, last))
        rows = tuple(numbered)
        return tuple(Product(f"p-{n}", TEA.name, rows[n : n + 2]) for n in range(0, len(rows), 2))

    made = desk.offer(products=version(0, 80), budget_fen=10_000_000)
    desk.shelved(made)
    desk.shelved(replace(made, products=version(71, MAX_COUNTERS - 1)))
    assert len(counted(made)) == MAX_COUNTERS
    desk.drafted(replace(made, products=version(MAX_COUNTERS - 2, MAX_COUNTERS)))
    desk.moved(made, 3, "submit", "approve")
    assert desk.move(made, 3, "schedule").code == "offer-counters-full"
    desk.moved(made, 2, "stop")
    assert {seen.stopped_to for seen in counted(made).values()} == {3}


def test_the_catalogue_has_the_live_version_and_the_next(desk: Desk) -> None:
    made = desk.offer()
    desk.shelved(made)
    begins = clock.now().replace(microsecond=0) + 5 * DAY
    desk.shelved(replace(made, valid_from=begins, title=Text("下一版", "The next")))
    assert {number: (one.valid_from, one.valid_to) for number, one in shown(made).items()} == {
        1: (made.valid_from, begins), 2: (begins, made.valid_to),
    }  # fmt: skip
    assert titles(desk, made) == ["Good things from Qingliu"]
    with clock.fixed(begins):
        assert titles(desk, made) == ["The next"]
    desk.moved(made, 1, "pause")
    assert list(shown(made)) == [2]
    desk.moved(made, 2, "end")
    assert shown(made) == {}


def titles(desk: Desk, made: Offer) -> list[str]:
    desk.world.forget()
    items = desk.world.get("/v1/cities/xiamen/catalogue?limit=200")["items"]
    return [item["title"]["en"] for item in items if item["offer_id"] == made.offer_id]


def test_the_catalogue_is_told_of_what_people_see_and_of_nothing_else(desk: Desk) -> None:
    made = desk.offer()

    def told() -> int:
        return load_control("xiamen").catalogue_version

    before = told()
    desk.drafted(made)
    desk.moved(made, 1, "submit", "approve")
    assert told() == before
    for step, move in enumerate(("schedule", "pause", "resume", "stop"), start=1):
        desk.moved(made, 1, move)
        assert told() == before + step
    desk.moved(made, 1, "lift", "end")
    assert told() == before + 4


def test_the_next_read_after_the_citys_stop_refuses(desk: Desk) -> None:
    made = desk.offer(budget_fen=100_000)
    desk.shelved(made)
    desk.shelved(replace(made, products=goods(TEA), budget_fen=None, valid_from=made.valid_to - DAY))
    desk.moved(made, 1, "stop")
    with pytest.raises(OfferStopped):
        heads.require_in_force(head_of(made), clock.now())
    assert {name: seen.stopped_to for name, seen in counted(made).items()} == {
        "budget": 2, TEA.variant_id: 2, TOFU.variant_id: 2,
    }  # fmt: skip
    for version in (1, 2):
        with pytest.raises(Exception, match="conflicts"):
            used(made, 1, version)
    assert shown(made) == {}
    assert desk.world.send("GET", f"{path_of(made)}").code == "offer-stopped"


def path_of(offer: Offer) -> str:
    return f"/v1/cities/{offer.city_id}/merchants/{offer.merchant_id}/offers/{offer.offer_id}"


def test_a_lift_opens_the_counters_and_leaves_the_shelf_to_the_merchant(desk: Desk) -> None:
    made = desk.offer()
    desk.shelved(made)
    desk.moved(made, 1, "stop", "lift")
    assert {seen.stopped_to for seen in counted(made).values()} == {0}
    used(made, 1)
    with pytest.raises(OfferNotLive):
        heads.require_in_force(head_of(made), clock.now())
    desk.moved(made, 1, "resume")
    assert heads.require_in_force(head_of(made), clock.now()) == 1


def test_what_was_stopped_before_it_was_ever_open_gets_its_counters_when_it_is(desk: Desk) -> None:
    made = desk.offer()
    desk.drafted(made)
    desk.moved(made, 1, "submit", "approve", "stop", "lift", "resume")
    assert counted(made)[TOFU.variant_id].counter == counters.Counter.of(500)


def test_a_new_version_after_a_stop_is_open_and_the_old_one_stays_stopped(desk: Desk) -> None:
    made = desk.offer()
    desk.shelved(made)
    desk.moved(made, 1, "stop")
    desk.shelved(replace(made, products=goods(TOFU, replace(TEA, variant_id="tea-200g"))))
    assert {name: seen.stopped_to for name, seen in counted(made).items()} == {
        "tea-200g": 1, TEA.variant_id: 1, TOFU.variant_id: 1,
    }  # fmt: skip
    used(made, 1, version=2)
    with pytest.raises(Exception, match="conflicts"):
        used(made, 1, version=1)


def neighbours(desk: Desk) -> tuple[Offer, Offer]:
    """Two offers of one chunk."""
    first = desk.offer()
    wanted = chunk_number(f"{first.merchant_id}/{first.offer_id}")
    while True:
        other = desk.offer(offer_id=f"near-{ids.new('x')[2:12]}")
        if chunk_number(f"{other.merchant_id}/{other.offer_id}") == wanted:
            return first, other


@pytest.mark.parametrize("moves", [("schedule", "schedule"), ("schedule", "stop"), ("pause", "schedule")])
def test_two_that_move_offers_of_one_chunk_at_once_lose_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, moves: tuple[str, str]
) -> None:
    """Two processes: the second moves after the first has read, and before it writes."""
    pair = neighbours(desk)
    for offer, move in zip(pair, moves, strict=True):
        desk.drafted(offer)
        desk.moved(offer, 1, "submit", "approve", *(["schedule"] * (move != "schedule")))
    before = load_control("xiamen").catalogue_version

    def overtaken(_: Any, write: Callable[[], None]) -> None:
        desk.moved(pair[1], 1, moves[1])
        write()

    with monkeypatch.context() as patch:
        inject(patch, iter([overtaken]))
        desk.moved(pair[0], 1, moves[0])
    there = desk.seen()
    for offer, move in zip(pair, moves, strict=True):
        assert (offer.offer_id in there) == (move == "schedule")
        assert (1 in shown(offer)) == (move == "schedule")
    assert load_control("xiamen").catalogue_version == before + 2


def test_two_that_draft_the_same_version_at_once_make_one(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    made = desk.offer()

    def overtaken(_: Any, write: Callable[[], None]) -> None:
        assert desk.draft(replace(made, category="grain")).status == 201
        write()

    with monkeypatch.context() as patch:
        inject(patch, iter([overtaken]))
        second = desk.draft(made)
    assert second.code == "offer-state"
    assert desk.read(made, 1)["content"]["category"] == "grain"


def test_what_goes_to_review_while_it_is_edited_stays_as_it_was_submitted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = desk.offer()
    desk.drafted(made)

    def overtaken(_: Any, write: Callable[[], None]) -> None:
        desk.moved(made, 1, "submit")
        write()

    with monkeypatch.context() as patch:
        inject(patch, iter([overtaken]))
        assert desk.edit(replace(made, category="grain"), 1).code == "conflict"
    seen = desk.read(made, 1)
    assert (seen["state"], seen["content"]["category"]) == ("review", "tea")


FAULTS: dict[str, Fault] = {
    "lost before": lost_before,
    "lost after": lost_after,
    "a conflict": cancelled(CONFLICT),
    "a condition": cancelled(FAILED),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("move", ["schedule", "pause", "stop"])
def test_ONCE_a_move_under_faults_happens_once_and_whole(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, move: str, name: str
) -> None:
    fault = FAULTS[name]
    made = desk.offer()
    desk.drafted(made)
    desk.moved(made, 1, "submit", "approve", *(["schedule"] * (move != "schedule")))
    before, revision = load_control("xiamen").catalogue_version, head_of(made).revision
    with monkeypatch.context() as patch:
        inject(patch, iter([fault]))
        first = desk.move(made, 1, move, key=f"{move}-{made.offer_id}")
    again = desk.move(made, 1, move, key=f"{move}-{made.offer_id}")
    assert again.status == 200, (first.text, again.text)
    assert head_of(made).revision == revision + 1
    assert load_control("xiamen").catalogue_version == before + 1
    assert bool(shown(made)) == (move == "schedule")


def test_a_full_shelf_takes_no_more_and_lets_everything_go(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert CHUNK_MAX_BYTES == 300_000
    made, other = neighbours(desk)
    desk.shelved(made)
    desk.drafted(other)
    desk.moved(other, 1, "submit", "approve")
    monkeypatch.setattr("chalicelib.offers.store.catalogue.CHUNK_MAX_BYTES", 100)
    assert desk.move(other, 1, "schedule").code == "catalogue-full"
    desk.moved(made, 1, "pause")
    assert desk.move(made, 1, "resume").code == "catalogue-full"
    monkeypatch.undo()
    desk.moved(made, 1, "resume", "stop")


def test_rules_that_have_changed_since_the_approval_send_an_offer_back(own_world: World) -> None:
    """The scenario's next table turns two of the tiers around that the offer stands on."""
    desk = Desk(own_world)
    tiers = ({"low": 560, "high": 620}, {"low": 620, "high": 560})
    publish(own_world, 2, tiers[0], 1)
    with clock.fixed(clock.now() + 2 * DAY):
        made = desk.offer(tiers_by="scenario", tiers=percent({"low": 500, "high": 900}))
        desk.drafted(made)
        desk.moved(made, 1, "submit", "approve")
        publish(own_world, 3, tiers[1], 1)
    with clock.fixed(clock.now() + 4 * DAY):
        refused = desk.move(made, 1, "schedule")
        assert (refused.status, refused.code) == (409, "offer-out-of-step")


def publish(world: World, version: int, cuts: dict[str, int], ahead: int) -> None:
    """The produce scenario with tiers of its own from these scores on, in force in so many days."""
    rows = [
        {"tier_id": tier, "name": {"zh": tier, "en": tier}, "when": {"score": {"ge": cut}}, "benefit": {}}
        for tier, cut in sorted(cuts.items(), key=lambda item: item[1])
    ]
    begins = (clock.now() + ahead * DAY + BEIJING).date().isoformat()
    areas = [{"district": None, "cumulative": False, "tiers": rows}]
    document = next_table("jimei_produce", version, valid_from=begins, areas=areas)
    answer = world.post("/v1/cities/xiamen/scenarios", "city:xiamen", document)
    assert answer.status == 201, answer.text
