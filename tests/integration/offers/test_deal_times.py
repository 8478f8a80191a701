"""When things end, to the second, and by whose calendar: days, weeks and months are its city's (UTC+8)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chalicelib.core import clock
from chalicelib.ledger.store import list_entries, load_entry
from chalicelib.offers.rules import Offer, Quota
from tests.integration.offers.deals import check_refused, deal, facts_of
from tests.integration.offers.market import SCENARIO, Market
from tests.world import FARM, World

HERE = ZoneInfo("Asia/Shanghai")
MOMENT = timedelta(milliseconds=1)
BOOK = "xiamen/merchant/qingliu-farm"


@pytest.fixture(scope="module")
def market(world: World) -> Market:
    return Market(world)


def here(text: str) -> datetime:
    """An instant by the clocks of Xiamen."""
    return datetime.fromisoformat(text).replace(tzinfo=HERE).astimezone(UTC)


def shelved(market: Market, **changes: Any) -> Offer:
    """An offer that is open for years, unless it says otherwise."""
    usual = {"valid_from": here("2026-01-01T00:00:00"), "valid_to": here("2031-01-01T00:00:00")}
    return market.shelve(market.offer(**usual | changes))


@contextmanager
def at(instant: datetime) -> Iterator[datetime]:
    with clock.fixed(instant):
        yield instant


@pytest.mark.parametrize("seconds", [60, 600, 3600, 30 * 86_400])
def test_a_reservation_lapses_to_the_second(market: Market, seconds: int) -> None:
    start = here("2027-03-01T10:00:00.250")
    with at(start):
        who, scarce = market.buyer(), shelved(market, stock=2, reservation_seconds=seconds)
        first, second = market.quoted(who, scarce), market.quoted(who, scarce)
        until = {clock.unstamp(market.act("reservation", each).body["expires_at"]) for each in (first, second)}
    (end,) = until
    assert end.microsecond == 0
    assert timedelta(seconds=seconds) <= end - start < timedelta(seconds=seconds + max(1, seconds // 60))
    with at(end - MOMENT):
        assert market.quote(who, market.ask(scarce)).code == "out-of-stock"
        assert market.act("redemption", first).status == 200, "until the last moment"
    with at(end):
        assert market.world.get(f"/v1/quotes/{second}", FARM)["state"] == "lapsed"
        check_refused(market.act("redemption", second), "reservation-closed")
        check_refused(market.act("release", second), "reservation-closed")
        sold = market.redeemed(who, scarce)
        assert market.counter(scarce).counter.redeemed == 2
        assert market.counter(scarce).counter.held == {}, "what had lapsed was folded to sell it anew"
        check_refused(market.act("redemption", second), "reservation-closed")
        assert market.refund(sold).status == 201


def test_LIMIT_what_a_faster_clock_has_given_back_is_not_given_up_by_a_slower_one(market: Market) -> None:
    with at(here("2027-03-01T10:00:00")):
        who, scarce = market.buyer(), shelved(market, stock=1, reservation_seconds=60)
        quote_id = market.quoted(who, scarce)
        end = clock.unstamp(market.act("reservation", quote_id).body["expires_at"])
    with at(end):
        market.redeemed(who, scarce)
    with at(end - MOMENT):
        for verb in ("release", "redemption"):
            check_refused(market.act(verb, quote_id), "reservation-closed")
    found = market.counter(scarce).counter
    assert (found.redeemed, found.held) == (1, {})


def test_a_lapsed_reservation_gives_the_persons_quota_back(market: Market) -> None:
    start = here("2027-03-02T10:00:00")
    with at(start):
        who = market.buyer()
        rationed = shelved(market, quota=Quota(lifetime=1), reservation_seconds=60)
        kept, other = market.quoted(who, rationed), market.quoted(who, rationed)
        end = clock.unstamp(market.act("reservation", kept).body["expires_at"])
    with at(end - MOMENT):
        check_refused(
            market.act("redemption", other), "quota-exceeded",
            "累计每人限购 1 件，您还可购 0 件", "Each person may have 1 in all; 0 are left for you",
        )  # fmt: skip
    with at(end):
        assert market.act("redemption", other).status == 200
        assert market.quota(rationed, who).state.used["ever"] == 1


def test_a_quote_lasts_fifteen_minutes_and_no_longer_than_its_offer_or_the_consent(market: Market) -> None:
    start = here("2027-03-03T10:00:00.500")
    with at(start):
        who, ends, plain = (
            market.buyer(),
            shelved(market, valid_to=start + timedelta(minutes=5)),
            shelved(market),
        )
        brief = market.world.newcomer("xiamen", 693)
        market.world.grant(brief, FARM, SCENARIO, days=7 / 1440)
        quotes = {
            start + timedelta(minutes=15): market.quoted(who, plain),
            start + timedelta(minutes=5): market.quoted(who, ends),
            start.replace(microsecond=0) + timedelta(minutes=7): market.quoted(brief, plain),
        }
    for end, quote_id in quotes.items():
        with at(end):
            assert market.world.get(f"/v1/quotes/{quote_id}", FARM)["expires_at"] == text_of(end)
            check_refused(market.act("redemption", quote_id), "quote-expired")
        with at(end - MOMENT):
            assert market.act("redemption", quote_id).status == 200


def text_of(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


DAYS = [
    # what is limited, until when all of it is had, and when it is new
    (Quota(day=1), "2027-01-15T23:59:59.999", "2027-01-16T00:00:00"),
    (Quota(day=1), "2028-02-28T23:59:59.999", "2028-02-29T00:00:00"),
    (Quota(day=1), "2028-02-29T23:59:59.999", "2028-03-01T00:00:00"),
    (Quota(week=1), "2027-01-03T23:59:59.999", "2027-01-04T00:00:00"),
    (Quota(week=1), "2029-12-30T23:59:59.999", "2029-12-31T00:00:00"),
    (Quota(month=1), "2027-04-30T23:59:59.999", "2027-05-01T00:00:00"),
    (Quota(month=1), "2028-02-29T23:59:59.999", "2028-03-01T00:00:00"),
    (Quota(month=1), "2026-12-31T23:59:59.999", "2027-01-01T00:00:00"),
]


@pytest.mark.parametrize(("quota", "last", "first"), DAYS, ids=[f"{day[0]} {day[2]}" for day in DAYS])
def test_a_quota_is_new_at_the_citys_midnight(market: Market, quota: Quota, last: str, first: str) -> None:
    with at(here(last)):
        who, rationed = market.buyer(), shelved(market, quota=quota)
        early, late = market.quoted(who, rationed), market.quoted(who, rationed)
        assert market.act("redemption", early).status == 200
        assert market.act("redemption", late).code == "quota-exceeded"
    with at(here(first)):
        assert market.act("redemption", late).status == 200, "quoted before midnight, sold after it"
        assert market.quote(who, market.ask(rationed)).code == "quota-exceeded"


SAME_WINDOW = [
    (Quota(week=1), "2026-12-28T00:00:00", "2027-01-03T23:59:59"),
    (Quota(month=1), "2028-02-01T00:00:00", "2028-02-29T23:59:59"),
    (Quota(day=1), "2028-02-29T00:00:00", "2028-02-29T23:59:59"),
    (Quota(lifetime=1), "2026-12-31T00:00:00", "2027-01-15T00:00:00"),
]


@pytest.mark.parametrize(("quota", "first", "last"), SAME_WINDOW, ids=[f"{w[0]} {w[1]}" for w in SAME_WINDOW])
def test_a_quota_is_the_same_until_the_window_is_over(market: Market, quota: Quota, first: str, last: str) -> None:
    with at(here(first)):
        who, rationed = market.buyer(), shelved(market, quota=quota)
        market.redeemed(who, rationed)
    with at(here(last)):
        assert market.quote(who, market.ask(rationed)).code == "quota-exceeded"


@pytest.mark.parametrize("midnight", ["2027-07-10T00:00:00", "2027-07-12T00:00:00", "2027-08-01T00:00:00"])
def test_a_server_whose_clock_is_behind_forgets_nothing(market: Market, midnight: str) -> None:
    """At midnight of a day, of a week and of a month: one server is in the new one already, another is not."""
    with at(here(midnight) + MOMENT):
        who, rationed = market.buyer(), shelved(market, quota=Quota(day=2, week=9, month=9))
        sold = market.redeemed(who, rationed, 2)
    with at(here(midnight) - MOMENT):
        market.redeemed(who, rationed, 2)
    with at(here(midnight) + timedelta(hours=1)):
        check_refused(
            market.quote(who, market.ask(rationed)), "quota-exceeded",
            "今天每人限购 2 件，您还可购 0 件", "Each person may have 2 today; 0 are left for you",
        )  # fmt: skip
        assert market.refund(sold, 0, 2).status == 201
        market.redeemed(who, rationed, 2)


def test_a_reservation_counts_in_the_day_on_which_it_was_made(market: Market) -> None:
    with at(here("2027-06-30T23:50:00")):
        who = market.buyer()
        rationed = shelved(market, quota=Quota(day=1, month=1), reservation_seconds=3600)
        kept = market.quoted(who, rationed)
        assert market.act("reservation", kept).status == 200
        assert market.quote(who, market.ask(rationed)).code == "quota-exceeded"
    with at(here("2027-07-01T00:05:00")):
        another = market.quoted(who, rationed)
        assert market.act("redemption", kept).status == 200
        assert market.act("redemption", another).status == 200, "July is another month"
        used = market.quota(rationed, who).state.used
        assert (used["2027-06-30"], used["2027-07-01"], used["2027-06"], used["2027-07"]) == (1, 1, 1, 1)


BOOKED = [
    ("2027-08-01T23:59:59.999", date(2027, 8, 1)),
    ("2027-08-02T00:00:00", date(2027, 8, 2)),
    ("2027-08-02T07:59:59", date(2027, 8, 2)),
    ("2028-02-29T00:00:00", date(2028, 2, 29)),
    ("2027-01-01T00:00:00", date(2027, 1, 1)),
]


@pytest.mark.parametrize(("instant", "day"), BOOKED, ids=[booked[0] for booked in BOOKED])
def test_LEDGER_a_sale_is_booked_on_the_citys_day(market: Market, instant: str, day: date) -> None:
    with at(here(instant)):
        offer = shelved(market)
        quote_id = market.redeemed(market.buyer(), offer)
    redemption = deal(quote_id).redemption
    assert redemption is not None
    entry = load_entry(redemption.redemption_id)
    assert (entry.day, entry.at, entry.book) == (day, here(instant), BOOK)
    assert facts_of(entry.entry_id)["day"] == f"{day}"
    assert entry in list_entries(BOOK, day, day + timedelta(days=1), 100)[0]
    with at(here(instant) + timedelta(hours=20)):
        refund = load_entry(market.refund(quote_id).body["refund_id"])
    back_on = (here(instant) + timedelta(hours=20)).astimezone(HERE).date()
    assert (refund.day, refund.reverses) == (back_on, entry.entry_id)
    facts = facts_of(refund.entry_id)
    assert (facts["day"], facts["sold_on"]) == (f"{back_on}", f"{day}")


def test_a_clock_that_is_behind_takes_nothing_back_before_it_was_sold(market: Market) -> None:
    sold_at = here("2027-09-01T00:00:00.100")
    with at(sold_at):
        offer = shelved(market)
        quote_id = market.redeemed(market.buyer(), offer)
    with at(sold_at - timedelta(seconds=2)):
        refund = load_entry(market.refund(quote_id).body["refund_id"])
    assert (refund.at, refund.day) == (sold_at, date(2027, 9, 1))
