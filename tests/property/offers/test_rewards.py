"""REWARD for offers: the linter against brute force, prices for every score and quantity, baskets of every kind."""

from __future__ import annotations

from itertools import pairwise, product
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from chalicelib.cities.rules import Scale
from chalicelib.offers.rules import (
    Applied,
    Asked,
    CompiledOffer,
    MerchantAnswer,
    Offer,
    OfferTier,
    Stacking,
    compile_offer,
    payable_of,
    price_basket,
    tell_merchant,
)
from chalicelib.offers.rules.lint_prices import lint_prices
from chalicelib.offers.rules.stacking import cap_fen
from chalicelib.scenarios.rules import CompiledTable, Decision, compile_table, parse_table
from tests.property.offers.wares import GRADES, offers, shop, ware
from tests.property.scenarios.drafts import fact_sets, goodness, orderly, resident_of, unscored, wild

CAREFUL = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])  # fmt: skip  # noqa: E501
# At 10,000 units every difference between two prices is whole fen, so that no rounding hides it.
QUANTITIES = (1, 2, 3, 7, 10_000)
Draft = tuple[dict[str, Any], Scale]


def literal(offer: Offer, decision: Decision) -> OfferTier | None:
    """The tier that counts, read off the scenario's own table: the last one held that the offer has."""
    names = {tier.tier: tier for tier in offer.tiers}
    held = [names[tier_id] for tier_id in decision.tier_ids if tier_id in names]
    return held[-1] if held else None


def payables(offer: Offer, tier: OfferTier | None) -> list[int]:
    return [payable_of(variant, tier, units) for variant in offer.variants for units in QUANTITIES]


def dearer(one: list[int], other: list[int]) -> bool:
    return any(high > low for high, low in zip(one, other, strict=True))


def punished(offer: Offer, table: CompiledTable) -> tuple[set[str], set[str]]:
    """Which promises the offer breaks for somebody, and which tiers somebody pays by."""
    found: set[str] = set()
    paid: set[str] = set()
    rows: dict[Any, list[list[int]]] = {}
    for facts, resident in fact_sets():
        people = [unscored(table, facts, resident)]
        people += [resident_of(table, score, facts, resident) for score in goodness(table.scale)]
        tiers = [literal(offer, decision) for decision in people]
        paid |= {tier.tier for tier in tiers if tier is not None}
        row = rows[frozenset(facts.items()), resident] = [payables(offer, tier) for tier in tiers]
        if any(dearer(high, low) for low, high in pairwise(row[1:])) or any(dearer(high, row[0]) for high in row[1:]):
            found.add("better-worse-off")
    for (held, resident), row in rows.items():
        fewer: list[Any] = [(held - {(n, True)} | {(n, False)}, resident) for n, yes in held if yes]
        for less in [*fewer, *([(held, False)] if resident else [])]:
            if any(dearer(high, low) for high, low in zip(row, rows[less], strict=True)):
                found.add("fact-worse-off")
    return found, paid


@st.composite
def by_scenario(draw: st.DrawFn) -> tuple[Offer, CompiledTable]:
    document, scale = draw(st.one_of(wild(), orderly()))
    table = compile_table(parse_table(document), scale)
    names = tuple(sorted({tier.tier_id for area in table.areas.values() for tier in area.tiers}))
    return shop_by_scenario(draw(offers(names))), table


def shop_by_scenario(offer: Offer) -> Offer:
    return shop(offer.variants, offer.tiers, tiers_by="scenario", funding=offer.funding)


@CAREFUL
@given(by_scenario())
def test_REWARD_the_linter_finds_what_brute_force_finds_and_nothing_else(made: tuple[Offer, CompiledTable]) -> None:
    offer, table = made
    broken, paid = punished(offer, table)
    found = list(lint_prices(compile_offer(offer, table)))
    assert {item.code for item in found} - {"unreachable"} == broken
    idle = {f"/tiers/{place}" for place, tier in enumerate(offer.tiers) if tier.tier not in paid}
    assert {item.pointer for item in found if item.code == "unreachable"} == idle


@CAREFUL
@given(by_scenario())
def test_an_offers_own_table_decides_like_the_scenarios(made: tuple[Offer, CompiledTable]) -> None:
    offer, table = made
    ready = compile_offer(offer, table)
    for facts, resident in fact_sets():
        for score in goodness(table.scale):
            own = ready.tier_of(resident_of(ready.table, score, facts, resident))
            assert own == literal(offer, resident_of(table, score, facts, resident))


@st.composite
def by_grade(draw: st.DrawFn) -> CompiledOffer:
    document, scale = draw(orderly())
    return compile_offer(draw(offers(tuple(GRADES))), compile_table(parse_table(document), scale))


@CAREFUL
@given(by_grade())
def test_REWARD_by_grade_a_better_score_never_pays_more_once_the_linter_is_content(ready: CompiledOffer) -> None:
    offer, table = ready.offer, ready.table
    people = [resident_of(table, score, {}, True) for score in goodness(table.scale)]
    row = [payables(offer, ready.tier_of(person)) for person in [unscored(table, {}, True), *people]]
    clean = "better-worse-off" not in {item.code for item in lint_prices(ready)}
    assert clean == (not any(dearer(high, low) for low, high in pairwise(row)))
    listed = [variant.price_fen * units for variant in offer.variants for units in QUANTITIES]
    assert not any(dearer(paid, listed) for paid in row)


@CAREFUL
@given(by_grade())
def test_MINIMAL_a_merchant_cannot_tell_two_people_of_one_tier_apart(ready: CompiledOffer) -> None:
    told: dict[str | None, MerchantAnswer] = {}
    people = [resident_of(ready.table, score, {}, True) for score in goodness(ready.table.scale)]
    for decision in [*people, unscored(ready.table, {}, True)]:
        answer = tell_merchant(ready, decision)
        tier = ready.tier_of(decision)
        assert told.setdefault(None if tier is None else tier.tier, answer) == answer


@st.composite
def baskets(draw: st.DrawFn) -> tuple[list[Asked], list[Stacking], list[int]]:
    """What is asked for of several offers, how they stack, and what they give."""
    count = draw(st.integers(1, 5))
    rules = [
        Stacking(
            draw(st.sampled_from([None, "one", "two"])),
            draw(st.integers(0, 3)),
            draw(st.sampled_from([None, None, 100, 1000, 3000])),
            draw(st.sampled_from([None, None, 1, 50, 300])),
        )
        for _ in range(count)
    ]
    asked = [Asked(f"o-{number}", f"v-{number}", draw(st.integers(1, 3))) for number in range(count)]
    return asked, rules, draw(st.lists(st.integers(1, 400), min_size=count, max_size=count))


def applied(rules: list[Stacking], prices: list[int], discounts: list[int]) -> dict[str, Applied]:
    made = {}
    for number, (rule, price_fen, discount_bp) in enumerate(zip(rules, prices, discounts, strict=True)):
        tier = OfferTier("A", discount_bp) if discount_bp else None
        offer = shop((ware(number, price_fen),), (OfferTier("A", 1),), offer_id=f"o-{number}", stacking=rule)
        made[f"o-{number}"] = Applied(offer, tier)
    return made


BP = st.sampled_from([0, 0, 1, 500, 1000, 3000, 5000, 9000])


@settings(max_examples=250, deadline=None)
@given(baskets(), st.data())
def test_REWARD_better_tiers_never_make_a_basket_dearer(
    basket: tuple[list[Asked], list[Stacking], list[int]], data: st.DataObject
) -> None:
    asked, rules, prices = basket
    low = data.draw(st.lists(BP, min_size=len(asked), max_size=len(asked)))
    high = [max(one, data.draw(BP)) for one in low]
    lesser = price_basket(asked, applied(rules, prices, low))
    better = price_basket(asked, applied(rules, prices, high))
    assert better.payable_fen <= lesser.payable_fen <= lesser.list_fen


@settings(max_examples=250, deadline=None)
@given(baskets(), st.data())
def test_a_basket_takes_the_most_that_its_rules_allow(
    basket: tuple[list[Asked], list[Stacking], list[int]], data: st.DataObject
) -> None:
    asked, rules, prices = basket
    offered = applied(rules, prices, data.draw(st.lists(BP, min_size=len(asked), max_size=len(asked))))
    found = price_basket(asked, offered)
    wanted = {step.offer_id: step.wanted_fen for step in found.steps}
    order = [step.offer_id for step in found.steps]
    assert order == sorted(order, key=lambda key: (offered[key].offer.stacking.priority, key))
    best = 0
    for chosen in product((False, True), repeat=len(order)):
        way = [offered[key].offer for key, yes in zip(order, chosen, strict=True) if yes]
        groups = [offer.stacking.exclusive_group for offer in way if offer.stacking.exclusive_group]
        total = 0
        for offer in way:
            total += max(0, min(wanted[offer.offer_id], cap_fen(offer, found.list_fen) - total))
        best = max(best, total if len(groups) == len(set(groups)) else 0)
    assert found.discount_fen == best == sum(step.granted_fen for step in found.steps)
    counted = [offered[step.offer_id].offer.stacking.exclusive_group for step in found.steps if step.granted_fen]
    assert len([group for group in counted if group]) == len({group for group in counted if group})
    assume(best > 0)
    for line in found.lines:
        assert line.payable_fen + line.discount_fen == line.list_fen
        assert sum(part.fen for part in line.funding) == line.discount_fen
