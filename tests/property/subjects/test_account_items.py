"""The account item: what goes in comes out, and it stays within 4 KB."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.core import ids
from chalicelib.core.commit import Unit
from chalicelib.core.table import Row
from chalicelib.subjects.rules import Account, AccountRef, ConsentBrief, ConsentsFull, consent_key
from chalicelib.subjects.store import AccountRow, account_in, account_key, create_account, score_order

NOW = datetime(2026, 8, 1, tzinfo=UTC)
GRANTS = st.binary(min_size=16, max_size=16).map(ids.encode)
ITEMS = st.sets(st.sampled_from(["decision", "grade", "score"]), min_size=1).map(lambda found: tuple(sorted(found)))
EXPIRIES = st.integers(0, 366 * 86400).map(lambda seconds: NOW + timedelta(seconds=seconds))


def written(account: Account) -> AccountRow:
    """The item that is written of an account."""
    unit, rows = Unit(), list[Row]()
    create_account(unit, account)

    class Transaction:
        def save(self, row: Row, *_: object) -> None:
            rows.append(row)

    unit._puts[0].apply(Transaction())  # type: ignore[arg-type]
    (row,) = rows
    assert isinstance(row, AccountRow)
    return row


def size_bytes(row: AccountRow) -> int:
    """The item's size as DynamoDB counts it, or a little more."""
    return sum(len(name) + len(next(iter(value.values()))) for name, value in row.to_dynamodb_dict().items())


def account(city_id: str, consents: dict[str, ConsentBrief]) -> Account:
    suspended = {"all_benefits": NOW, "pay_later_parking": NOW}
    return Account(AccountRef(city_id, "s_" + "a" * 26), NOW, consents=consents, suspensions=suspended)


@given(st.lists(st.tuples(GRANTS, EXPIRIES, ITEMS), max_size=20))
@settings(max_examples=100)
def test_an_account_is_read_as_it_was_written(grants: list[tuple[str, datetime, tuple[str, ...]]]) -> None:
    briefs = {
        consent_key(f"xiamen/s{i}", f"bank:xiamen/b{i}"): ConsentBrief("xiamen." + grant, until, items)  # type: ignore[arg-type]
        for i, (grant, until, items) in enumerate(grants)
    }
    before = account("xiamen", briefs)
    assert account_in({account_key(before.ref): written(before)}, before.ref) == before


def full(city_id: str, scenario: int, partner: int) -> dict[str, ConsentBrief]:
    """Forty consents whose scenarios and partners have ids of these lengths."""
    brief = ConsentBrief(f"{city_id}.{'a' * 26}", NOW, ("decision",))
    names = [f"{i:02d}" for i in range(40)]
    return {
        consent_key(f"{city_id}/{name:s>{scenario}}", f"parking_operator:{city_id}/{name:p>{partner}}"): brief
        for name in names
    }


def heaviest(row: AccountRow) -> AccountRow:
    row.guard, row.score, row.score_scale, row.score_order = 10**6, 1000, 10**6, score_order(NOW, 10**5)
    return row


def test_an_account_with_forty_ordinary_consents_fits_4_kb() -> None:
    made = account("xiamen", full("xiamen", 8, 8))
    assert size_bytes(heaviest(written(made))) <= 4096


@pytest.mark.parametrize("length", range(2, 49, 2))
def test_no_account_exceeds_4_kb_whatever_its_partners_are_called(length: int) -> None:
    city_id = "c" * 24
    try:
        row = written(account(city_id, full(city_id, length, length)))
    except ConsentsFull:
        row = written(account(city_id, dict(list(full(city_id, length, length).items())[:17])))
    assert size_bytes(heaviest(row)) <= 4096
