"""An entry is part of its effect: found in one book, by day, as it was written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from chalicelib.core import clock, effect, table
from chalicelib.core.commit import EffectExists, Unit
from chalicelib.core.effect import EffectRow
from chalicelib.core.errors import NotFound
from chalicelib.core.text import Text
from chalicelib.ledger import store
from chalicelib.ledger.rules import (
    Entry,
    Party,
    Posting,
    balances,
    beancount_lines,
    place_of,
    reversal,
    trial_balance,
)
from chalicelib.ledger.store import entries
from chalicelib.partners.rules import Partner
from chalicelib.partners.store import create_partner
from tests.conftest import Calls
from tests.integration.ledger.posting import entry_of, intent_of, post
from tests.unit.ledger.books import BANK, CITY, DAY, FARM, NOON, funded

pytestmark = pytest.mark.usefixtures("table")
NEXT_DAY, DAY_AFTER = DAY + timedelta(days=1), DAY + timedelta(days=2)
SALE = funded(3600, 1800, 5000, 3000, 2000)


def sold(key: str, hours: int = 0, book: Party = FARM) -> Entry:
    return post(key, entry_of(key, NOON + timedelta(hours=hours), book, SALE))


def listed(book: Party = FARM, first: date = DAY, until: date = NEXT_DAY) -> list[Entry]:
    return list(store.entries_of(book.name, first, until))


def stored(entry: Entry) -> EffectRow:
    found = effect.find(entry.entry_id)
    assert found is not None
    return found


def test_LEDGER_an_effect_is_its_own_posting() -> None:
    posted = sold("key-00001")
    assert listed() == [posted]
    assert store.load_entry(posted.entry_id) == posted
    assert effect.load(posted.entry_id).reply == f'{{"redemption_id":"{posted.entry_id}"}}'


def test_a_book_is_read_by_the_days_of_its_city() -> None:
    """Midnight in Xiamen is 16:00 UTC: four hours after noon UTC + 8."""
    hours = {"key-late1": 11, "key-next1": 12, "key-early": -12, "key-prior": -13, "key-next2": 35, "key-third": 36}
    posted = {key: sold(key, after) for key, after in hours.items()}
    assert listed() == [posted["key-early"], posted["key-late1"]]
    assert listed(first=NEXT_DAY, until=DAY_AFTER) == [posted["key-next1"], posted["key-next2"]]
    assert [e.day for e in listed(first=DAY - timedelta(days=9), until=DAY_AFTER + timedelta(days=9))] == sorted(
        e.day for e in posted.values()
    )
    with pytest.raises(AssertionError):
        listed(first=DAY, until=DAY)


def test_pages_follow_each_other_and_cost_one_query_each(calls: Calls) -> None:
    posted = [sold(f"key-{n:05d}", n) for n in range(5)]
    seen: list[Entry] = []
    after: store.Position | None = None
    calls.names.clear()
    for size in (2, 2, 1):
        page, after = store.list_entries(FARM.name, DAY, NEXT_DAY, 2, after)
        assert len(page) == size
        seen += page
    assert seen == posted
    assert after is None
    assert calls.names == ["Query"] * 3


def test_reading_a_whole_book_goes_on_from_page_to_page(monkeypatch: pytest.MonkeyPatch, calls: Calls) -> None:
    posted = [sold(f"key-{n:05d}", n) for n in range(7)]
    monkeypatch.setattr(entries, "PAGE", 3)
    calls.names.clear()
    reading = store.entries_of(FARM.name, DAY, NEXT_DAY)
    assert [next(reading) for _ in range(3)] == posted[:3]
    assert calls.names == ["Query"]
    assert list(reading) == posted[3:]


def test_LEDGER_every_entry_is_in_exactly_one_book() -> None:
    in_farm, in_city = sold("key-00001"), sold("key-00002", book=CITY)
    assert (listed(FARM), listed(CITY), listed(BANK)) == ([in_farm], [in_city], [])


def test_LEDGER_a_request_that_comes_twice_posts_once() -> None:
    posted = sold("key-00001")
    with pytest.raises(EffectExists) as exists:
        post("key-00001", replace(posted, at=NOON + timedelta(hours=1)))
    assert isinstance(exists.value.row, EffectRow)
    assert effect.replay(exists.value.row, intent_of("key-00001")).postings == stored(posted).postings
    assert listed() == [posted]


def test_LEDGER_what_does_not_balance_never_reaches_the_table() -> None:
    wrong = entry_of("key-00001", NOON, FARM, SALE)
    wrong = replace(wrong, postings=(*wrong.postings[:-1], wrong.postings[-1]._replace(amount=1)))
    for entry in (wrong, replace(entry_of("key-00001", NOON, FARM, SALE), entry_id=intent_of("key-00002").effect_id)):
        with pytest.raises(AssertionError):
            post("key-00001", entry)
    assert effect.find(intent_of("key-00001").effect_id) is None


def test_LEDGER_a_reversal_is_an_entry_of_its_own() -> None:
    posted = sold("key-00001")
    kept = stored(posted).to_dynamodb_dict()
    at = NOON + timedelta(days=40)
    back = reversal(
        store.load_entry(posted.entry_id), [], posted.postings,
        entry_id=intent_of("key-00002").effect_id, at=at, day=clock.day_in("Asia/Shanghai", at), purpose="refund",
    )  # fmt: skip
    post("key-00002", back)
    assert stored(posted).to_dynamodb_dict() == kept
    both = listed(until=DAY + timedelta(days=60))
    assert both == [posted, back]
    assert store.load_entry(back.entry_id).reverses == posted.entry_id
    assert set(balances(both).values()) == {0}
    assert any(balances(both, at).values())


def tamper(entry: Entry, **values: str) -> None:
    """Changes an effect in the table as somebody with access to it could."""
    client = table.connection().client
    key = {name: {"S": part} for name, part in zip(("pk", "sk"), effect.key_of(entry.entry_id), strict=True)}
    client.update_item(
        TableName="egret-test",
        Key=key,
        UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in values),
        ExpressionAttributeValues={f":{name}": {"S": value} for name, value in values.items()},
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda _: {"gsi2pk": "xiamen#book#merchant/other-farm"},
        lambda entry: {"gsi2sk": f"2026-05-02#2026-05-01T04:00:00.000Z#{entry.entry_id}"},
        lambda entry: {"postings": (stored(entry).postings or "").replace("900", "901")},
    ],
    ids=["another book", "another day", "an amount"],
)
def test_LEDGER_an_entry_that_was_moved_or_changed_is_not_read(change: Callable[[Entry], dict[str, str]]) -> None:
    posted = sold("key-00001")
    tamper(posted, **change(posted))
    with pytest.raises(AssertionError):
        store.load_entry(posted.entry_id)
    other = Party("xiamen", "merchant", "other-farm")
    with pytest.raises(AssertionError):
        assert listed() + listed(other) + listed(first=NEXT_DAY, until=DAY_AFTER) == [posted]


def test_LEDGER_a_change_that_still_balances_is_found_by_confirming() -> None:
    posted, untouched = sold("key-00001"), sold("key-00002", 1)
    assert list(store.confirmed(listed())) == [posted, untouched]
    raw = stored(posted).postings
    assert raw is not None
    tamper(posted, postings=raw.replace("540", "541").replace("900", "901").replace('"CNY",-1800', '"CNY",-1801'))
    with pytest.raises(AssertionError):
        list(store.confirmed(listed()))


def test_LEDGER_an_entry_that_is_not_its_effects_is_found_by_confirming() -> None:
    posted, gone = sold("key-00001"), entry_of("key-00009", NOON, FARM, SALE)
    for other in (gone, replace(posted, postings=gone.postings[2:]), replace(posted, day=NEXT_DAY)):
        with pytest.raises(AssertionError):
            list(store.confirmed([posted, other]))


def test_LEDGER_entries_are_read_from_their_effects_where_they_stand() -> None:
    posted = [sold("key-00001"), sold("key-00002", 1)]
    places = list(store.places_of(FARM.name, DAY, NEXT_DAY))
    assert places == [place_of(entry) for entry in posted]
    assert list(store.entries_at(FARM.name, places)) == posted
    assert list(store.places_of(FARM.name, DAY, NEXT_DAY, places[0])) == places[1:]
    elsewhere = [replace(places[0], day=NEXT_DAY), replace(places[0], at=NOON + timedelta(hours=1))]
    for book, place in ((CITY.name, places[0]), *((FARM.name, place) for place in elsewhere)):
        with pytest.raises(AssertionError):
            list(store.entries_at(book, [place]))


def test_places_are_read_page_by_page(monkeypatch: pytest.MonkeyPatch, calls: Calls) -> None:
    posted = [sold(f"key-{n:05d}", n) for n in range(5)]
    monkeypatch.setattr(entries, "PLACES", 2)
    calls.names.clear()
    reading = store.places_of(FARM.name, DAY, NEXT_DAY)
    assert [next(reading).entry_id for _ in range(2)] == [entry.entry_id for entry in posted[:2]]
    assert calls.names == ["Query"]
    assert len(list(reading)) == 3
    assert store.count_entries(FARM.name, DAY, NEXT_DAY) == 5
    assert store.first_day_of(FARM.name) == DAY
    assert store.first_day_of(CITY.name) is None


def test_confirming_reads_a_hundred_at_a_time(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    posted = [sold(f"key-{n:05d}", n) for n in range(5)]
    monkeypatch.setattr(entries, "_CONFIRMED_AT_ONCE", 2)
    calls.names.clear()
    assert list(store.confirmed(posted)) == posted
    assert calls.names == ["BatchGetItem"] * 3
    assert list(store.confirmed([])) == []


def test_what_posts_nothing_is_no_entry() -> None:
    intent = intent_of("key-00001")
    unit = Unit()
    unit.effect(effect.row(intent, NOON, purpose="look", facts={}, reply={}))
    unit.commit()
    for entry_id in (intent.effect_id, intent_of("key-00002").effect_id):
        with pytest.raises(NotFound):
            store.load_entry(entry_id)


def test_MINIMAL_an_index_line_shows_no_facts_and_no_reply() -> None:
    posted = post("key-00001", entry_of("key-00001", NOON, FARM, SALE), subject="hangzhou#account#s_secret")
    (line,), _ = table.query_gsi2(
        EffectRow, "xiamen#book#merchant/qingliu-farm", EffectRow.gsi2sk.startswith("2026"), limit=9
    )
    shown: dict[str, Any] = line.to_dynamodb_dict()
    assert line.effect_id == posted.entry_id
    assert not {"facts", "reply", "fingerprint", "content_hash", "gsi1pk", "gsi1sk"} & set(shown)


def test_an_index_line_of_a_usual_sale_is_within_one_unit_of_writing() -> None:
    posted = sold("key-00001")
    line = stored(posted).to_dynamodb_dict()
    projected = {"pk", "sk", "gsi2pk", "gsi2sk", *table.Gsi2.Meta.projection.non_key_attributes}
    size_bytes = sum(len(name) + len(next(iter(value.values()))) for name, value in line.items() if name in projected)
    assert size_bytes <= 1024


def partner(number: int, kind: Any = "merchant") -> Partner:
    name = Text(f"商户{number}", f"Merchant {number}")
    return Partner("xiamen", f"merchant-{number:03d}", kind, name, f"91999999{number:09d}X", illustrative=True)


def test_the_books_of_a_city_are_its_own_the_platforms_and_its_partners(monkeypatch: pytest.MonkeyPatch) -> None:
    unit = Unit()
    for number in range(5):
        create_partner(unit, partner(number, "bank" if number == 3 else "merchant"))
    unit.commit()
    monkeypatch.setattr(entries, "_PARTNERS_AT_ONCE", 2)
    books = list(store.books_of("xiamen"))
    assert books[:2] == ["xiamen/city", "xiamen/platform"]
    assert sorted(books[2:]) == [
        "xiamen/bank/merchant-003",
        *(f"xiamen/merchant/merchant-{n:03d}" for n in (0, 1, 2, 4)),
    ]


def test_a_visitors_purchase_is_in_the_book_of_the_city_where_he_bought() -> None:
    intent = effect.intend("hangzhou", "citizen", "p1_visitor", "POST /v1/redemptions", "key-00001", {})
    entry = replace(entry_of("key-00001", NOON, FARM, SALE), entry_id=intent.effect_id)
    unit = Unit()
    unit.effect(store.effect_row(intent, entry, facts={}, reply={}))
    unit.commit()
    assert listed() == [entry]
    assert store.load_entry(intent.effect_id) == entry


def test_what_is_read_can_be_exported_and_balances() -> None:
    posted = [sold(f"key-{n:05d}", n) for n in range(3)]
    assert trial_balance(listed()) == trial_balance(posted)
    text = "".join(beancount_lines(store.entries_of(FARM.name, DAY, NEXT_DAY)))
    assert text.count(' * "redeem" ') == 3
    assert Posting(FARM.account("receivable"), "CNY", 900) in posted[0].postings
