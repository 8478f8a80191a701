"""Refunds: what was paid goes back to the fen, to whom it came from, at any age, and into the windows of the sale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import clock
from chalicelib.core.errors import NotFound
from chalicelib.ledger.rules import Entry, remaining
from chalicelib.ledger.store import entries_of, load_entry
from chalicelib.offers.rules import Product, Quota, Share, Variant
from tests.integration.offers.deals import check_refused, deal, facts_of, move, release
from tests.integration.offers.market import TEA, TOFU, Market
from tests.unit.offers import shop
from tests.world import FARM, World, days_ahead

BOOK = "xiamen/merchant/qingliu-farm"
ALL_FUND = (
    Share("merchant", 3333), Share("city", 3333), Share("bank", 1111, "demo-bank"), Share("platform", 2223),
)  # fmt: skip


@pytest.fixture(scope="module")
def market(world: World) -> Market:
    return Market(world)


def sale_of(quote_id: str) -> Entry:
    """The entry of a redemption."""
    redemption = deal(quote_id).redemption
    assert redemption is not None
    return load_entry(redemption.redemption_id)


def posted(entries: Iterable[Entry]) -> dict[str, int]:
    """What these entries come to, account by account, those of nothing left out."""
    sums: Counter[str] = Counter()
    for entry in entries:
        for posting in entry.postings:
            sums[posting.account.removeprefix("xiamen/")] += posting.amount
    return {account: amount for account, amount in sums.items() if amount}


def test_LEDGER_a_sale_posts_what_each_party_bears(market: Market) -> None:
    offer = market.shelve(market.offer(funding=ALL_FUND))
    entry = sale_of(market.redeemed(market.buyer(), offer, 3))
    assert posted([entry]) == {
        "merchant/qingliu-farm/sales": -10_800, "merchant/qingliu-farm/takings": 5_400,
        "merchant/qingliu-farm/discount": 1_800, "merchant/qingliu-farm/receivable": 3_600,
        "city/subsidy": 1_800, "city/payable": -1_800,
        "bank/demo-bank/subsidy": 600, "bank/demo-bank/payable": -600,
        "platform/subsidy": 1_200, "platform/payable": -1_200,
    }  # fmt: skip
    assert (entry.book, entry.purpose, entry.reverses) == (BOOK, "redeem:xiamen/jimei_produce", None)
    assert facts_of(entry.entry_id) == {
        "v": 1, "quote_id": facts_of(entry.entry_id)["quote_id"], "scenario_id": "jimei_produce", "district": None,
        "visitor": False, "units": 3, "saved_fen": 5_400, "list_fen": 10_800, "day": f"{entry.day}",
    }  # fmt: skip


@pytest.mark.parametrize("spans", [[7], [1] * 7, [3, 4], [5, 1, 1]])
def test_LEDGER_refunds_add_up_to_the_sale_to_the_fen_for_every_funder(market: Market, spans: list[int]) -> None:
    """Seven units at an odd price by four funders: nothing divides evenly."""
    odd = replace(shop.TOFU, price_fen=1999, stock=50)
    products = (Product("tofu", odd.name, (odd,)),)
    offer = market.shelve(market.offer(products=products, funding=ALL_FUND, tiers=shop.percent({"极好": 3333})))
    quote_id = market.redeemed(market.buyer(), offer, 7)
    line = market.world.get(f"/v1/quotes/{quote_id}", FARM)["lines"][0]
    back: Counter[str] = Counter()
    entries, paid = [], 0
    for units in spans:
        body = market.refund(quote_id, 0, units).body
        entries.append(load_entry(body["refund_id"]))
        paid += body["payable_fen"]
        back.update({part["funder"]: part["fen"] for part in body["funding"]})
        assert body["discount_fen"] == sum(part["fen"] for part in body["funding"])
    assert paid == line["payable_fen"]
    assert back == {part["funder"]: part["fen"] for part in line["funding"]}
    sale = sale_of(quote_id)
    assert remaining(sale, entries) == ()
    assert posted([sale, *entries]) == {}
    assert {(entry.reverses, entry.purpose, entry.book) for entry in entries} == {
        (sale.entry_id, "refund:xiamen/jimei_produce", BOOK)
    }
    assert [facts_of(entry.entry_id)["whole"] for entry in entries] == [*[False] * (len(spans) - 1), True]


def test_LEDGER_the_book_of_a_day_holds_its_sales_and_refunds_once(market: Market) -> None:
    at = days_ahead(0) + timedelta(days=700)
    with clock.fixed(at):
        who = market.buyer()
        offer = market.shelve(market.offer(funding=ALL_FUND))
        sold = [market.redeemed(who, offer, 2) for _ in range(2)]
        refund_id = market.refund(sold[0], 0, 1).body["refund_id"]
        day = sale_of(sold[0]).day
    found = list(entries_of(BOOK, day, day + timedelta(days=1)))
    assert Counter(entry.entry_id for entry in found) == Counter([*(sale_of(s).entry_id for s in sold), refund_id])


@pytest.mark.parametrize("rule", ["restore", "burn"])
def test_what_a_refund_restores_is_the_offers_word(market: Market, rule: Any) -> None:
    offer = market.shelve(market.offer(on_refund=rule, quota=Quota(lifetime=3), budget_fen=10_000, stock=3))
    who = market.buyer()
    quote_id = market.redeemed(who, offer, 3)
    body = market.refund(quote_id, 0, 2).body
    assert (body["restored"], body["payable_fen"], body["discount_fen"]) == (rule == "restore", 3600, 3600)
    left = (1, 1800, 1) if rule == "restore" else (3, 5400, 3)
    stock, budget, quota = market.counter(offer).counter, market.budget(offer).counter, market.quota(offer, who).state
    assert (stock.redeemed, budget.redeemed, quota.used["ever"]) == left
    assert market.quote(who, market.ask(offer, 2)).status == (201 if rule == "restore" else 409)
    entry = load_entry(body["refund_id"])
    assert posted([entry])["merchant/qingliu-farm/takings"] == -3600, "money goes back either way"


def test_a_quota_comes_back_into_the_windows_of_the_sale(market: Market) -> None:
    """Sold at the end of a month, refunded in the next: today's quota has no more room for it."""
    start = days_ahead(0).replace(year=2027, month=5, day=31, hour=4)
    with clock.fixed(start):
        who = market.buyer()
        quota = Quota(day=2, week=9, month=2, lifetime=9)
        offer = market.shelve(market.offer(quota=quota, valid_to=start + timedelta(days=90)))
        sold = market.redeemed(who, offer, 2)
    with clock.fixed(start + timedelta(days=1)):
        again = market.redeemed(who, offer, 2)
        before = dict(market.quota(offer, who).state.used)
        assert market.refund(sold, 0, 2).status == 201
        after = market.quota(offer, who).state.used
        changed = {key: before[key] - after[key] for key in before if before[key] != after[key]}
        assert changed == {"2027-05-31": 2, "2027-W22": 2, "2027-05": 2, "ever": 2}
        check_refused(
            market.quote(who, market.ask(offer)), "quota-exceeded",
            "今天每人限购 2 件，您还可购 0 件", "Each person may have 2 today; 0 are left for you",
        )  # fmt: skip
    with clock.fixed(start + timedelta(days=75)):
        market.redeemed(who, offer, 1)
        assert market.refund(again, 0, 2).status == 201, "also where the windows of the sale are long over"
        assert market.quota(offer, who).state.used["ever"] == 1


def test_what_was_reserved_comes_back_into_the_windows_of_the_reservation(market: Market) -> None:
    start = days_ahead(0).replace(year=2027, month=6, day=30, hour=4)
    with clock.fixed(start):
        who = market.buyer()
        offer = market.shelve(market.offer(quota=Quota(month=2), reservation_seconds=5 * 86_400))
        kept = market.quoted(who, offer, 2)
        market.act("reservation", kept)
    with clock.fixed(start + timedelta(days=3)):
        assert market.act("redemption", kept).status == 200
        market.redeemed(who, offer, 2)
        assert market.refund(kept, 0, 2).status == 201
        used = market.quota(offer, who).state.used
        assert (used["2027-06"], used["2027-07"]) == (0, 2)


def test_a_refund_needs_neither_an_open_offer_nor_a_merchant_in_good_standing(own_world: World, market: Market) -> None:
    offer = market.shelve(market.offer(budget_fen=10_000))
    who = market.buyer()
    quote_id = market.redeemed(who, offer, 4)
    move(offer, "pause")
    assert market.refund(quote_id).status == 201
    move(offer, "end")
    assert market.refund(quote_id).status == 201
    own_world.suspend_partner("qingliu-farm")
    assert market.refund(quote_id).status == 201
    own_world.suspend_city("xiamen")
    with clock.fixed(days_ahead(0) + timedelta(days=3000)):
        assert market.refund(quote_id).status == 201, "at any age"
    assert (market.counter(offer).counter.redeemed, market.budget(offer).counter.redeemed) == (0, 0)


def test_what_the_new_version_has_no_more_still_comes_back(market: Market) -> None:
    offer = market.shelve(market.offer(budget_fen=10_000, quota=Quota(lifetime=2)))
    who = market.buyer()
    quote_id = market.redeemed(who, offer, 2, TEA)
    only_tofu = tuple(product for product in offer.products if product.product_id == TOFU)
    release(replace(offer, version=2, products=only_tofu, budget_fen=None, quota=Quota()))
    back = market.refund(quote_id, 0, 2)
    assert (back.status, back.body["payable_fen"]) == (201, 8800)
    assert (market.counter(offer, TEA).counter.redeemed, market.budget(offer).counter.redeemed) == (0, 0)
    assert market.quota(offer, who).state.used["ever"] == 0
    assert market.world.get(f"/v1/me/purchases/{quote_id}", f"citizen:{who}")["names"][0]["variant"]["zh"]


def test_LEDGER_units_whose_share_is_less_than_a_fen_post_nothing_and_come_back(market: Market) -> None:
    """Three units of 1 fen: the parts of the line lie on its first unit, and the other two carry none."""
    penny = Variant("penny", shop.TOFU.name, 1, 5)
    products = (Product("penny", penny.name, (penny,)),)
    offer = market.shelve(market.offer(products=products, budget_fen=5, quota=Quota(lifetime=3)))
    who = market.buyer()
    quote_id = market.redeemed(who, offer, 3, "penny")
    answers = [market.refund(quote_id, key=f"penny-refund-{n}") for n in range(3)]
    assert [(a.status, a.body["payable_fen"], a.body["discount_fen"]) for a in answers] == [
        (201, 1, 2), (201, 0, 0), (201, 0, 0),
    ]  # fmt: skip
    entry = load_entry(answers[0].body["refund_id"])
    assert posted([sale_of(quote_id), entry]) == {}
    for answer in answers[1:]:
        with pytest.raises(NotFound):
            load_entry(answer.body["refund_id"])
        assert facts_of(answer.body["refund_id"])["saved_fen"] == 0
        assert answer.body["funding"] == [
            {"funder": "merchant", "partner_id": None, "fen": 0}, {"funder": "city", "partner_id": None, "fen": 0},
        ]  # fmt: skip
    assert [facts_of(answer.body["refund_id"])["whole"] for answer in answers] == [False, False, True]
    again = market.refund(quote_id, key="penny-refund-1")
    assert (again.text, again.replayed) == (answers[1].text, True)
    left = market.counter(offer, "penny").counter.redeemed, market.budget(offer).counter.redeemed
    assert (*left, market.quota(offer, who).state.used["ever"]) == (0, 0, 0)
    check_refused(market.refund(quote_id), "refund-exceeds", "该项还可退 0 件", "Of this line 0 can still be refunded")


def test_LEDGER_what_cost_nothing_at_all_is_sold_and_refunded(market: Market) -> None:
    """One unit of 1 fen at half price: nothing is to be paid, and the discount is one funder's."""
    penny = Variant("penny", shop.TOFU.name, 1, 5)
    offer = market.shelve(market.offer(products=(Product("penny", penny.name, (penny,)),)))
    quote_id = market.redeemed(market.buyer(), offer, 1, "penny")
    assert posted([sale_of(quote_id)]) == {"merchant/qingliu-farm/sales": -1, "merchant/qingliu-farm/discount": 1}
    back = market.refund(quote_id).body
    assert (back["payable_fen"], back["discount_fen"]) == (0, 1)
    assert posted([sale_of(quote_id), load_entry(back["refund_id"])]) == {}


def test_a_refund_says_what_became_of_the_deal(market: Market) -> None:
    offer = market.shelve(market.offer(districts=("jimei",)))
    who = market.buyer(760, "hangzhou")
    quote_id = market.redeemed(who, offer, 2)
    body = market.refund(quote_id).body
    assert (body["line"], body["units"], body["deal"]["state"]) == (0, 1, "redeemed")
    assert body["deal"]["lines"][0]["refunded_units"] == 1
    facts = facts_of(body["refund_id"])
    assert (facts["line"], facts["units"], facts["saved_fen"], facts["whole"]) == (0, 1, 1800, False)
    assert (facts["district"], facts["visitor"], facts["quote_id"]) == ("jimei", True, quote_id)
