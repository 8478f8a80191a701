"""One transaction or nothing, and one answer when it fails."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import repeat
from typing import Any

import pytest
from pynamodb.exceptions import TransactWriteError

from chalicelib.core import clock, effect, table
from chalicelib.core.commit import MAX_WRITES, EffectExists, Unit
from chalicelib.core.errors import Conflict, Problem, Unavailable
from chalicelib.core.table import IntAttribute, Key, Row
from tests.conftest import Calls
from tests.integration.core.faults import CONFLICT, FAILED, cancelled, inject, lost_after, lost_before

NOW = datetime(2026, 5, 1, tzinfo=UTC)
INTENT = effect.intend("xiamen", "city", "xiamen", "POST /v1/probes", "key-00001", {"n": 1})


class _ProbeRow(Row, discriminator="core-probe"):
    n = IntAttribute(default=0)


def row(name: str, n: int = 0) -> _ProbeRow:
    return _ProbeRow(f"xiamen#probe#{name}", "probe", n=n)


def n_of(name: str) -> int | None:
    found = table.get(_ProbeRow, row(name).key)
    return found.n if found else None


def stored(name: str, n: int = 0) -> None:
    unit = Unit()
    unit.create(row(name, n), Conflict)
    unit.commit()


def recorded() -> None:
    unit = Unit()
    unit.effect(effect.row(INTENT, NOW, purpose="probe", facts={}, reply={"n": 1}))
    unit.commit()


class CheckFailed(Problem):
    pass


class PutFailed(Problem):
    pass


class UpdateFailed(Problem):
    pass


def unit_of_all(*, check: bool = True, put: bool = True, update: bool = True) -> Unit:
    """An update, a put and a check, called in the order opposite to the one they are sent in."""
    unit = Unit(patience_seconds=0.01)
    wanted = {True: 0, False: 9}
    unit.update(row("updated"), [_ProbeRow.n.set(1)], _ProbeRow.n == wanted[update], UpdateFailed)
    unit.put(row("put", 1), _ProbeRow.n == wanted[put], PutFailed)
    unit.check(_ProbeRow, row("checked").key, _ProbeRow.n == wanted[check], CheckFailed)
    return unit


@pytest.fixture
def three(table: None) -> None:
    for name in ("checked", "put", "updated"):
        stored(name)


@pytest.mark.usefixtures("three")
def test_all_is_written_together() -> None:
    unit_of_all().commit()
    assert [n_of(name) for name in ("checked", "put", "updated")] == [0, 1, 1]


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("failing", "refusal"),
    [
        ({"check": False, "put": False, "update": False}, CheckFailed),
        ({"put": False, "update": False}, PutFailed),
        ({"update": False}, UpdateFailed),
        ({"check": False, "update": False}, CheckFailed),
    ],
)
def test_the_first_failed_condition_in_the_order_of_sending_answers(
    failing: dict[str, bool], refusal: type[Problem]
) -> None:
    with pytest.raises(refusal):
        unit_of_all(**failing).commit()
    assert [n_of(name) for name in ("checked", "put", "updated")] == [0, 0, 0]


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("put", [True, False])
def test_what_is_taken_away_goes_with_the_rest_or_stays(put: bool) -> None:
    unit = unit_of_all(put=put)
    stored("gone")
    unit.delete(row("gone"))
    unit.delete(row("never there"))
    if put:
        unit.commit()
    else:
        with pytest.raises(PutFailed):
            unit.commit()
    assert n_of("gone") == (None if put else 0)


@pytest.mark.usefixtures("three")
def test_ONCE_the_effect_that_is_there_outranks_every_refusal() -> None:
    recorded()
    unit = unit_of_all(check=False, put=False, update=False)
    unit.effect(effect.row(INTENT, NOW, purpose="probe", facts={}, reply={"n": 2}))
    with pytest.raises(EffectExists) as exists:
        unit.commit()
    assert isinstance(exists.value.row, effect.EffectRow)
    assert effect.replay(exists.value.row, INTENT).reply == '{"n":1}'


def test_nothing_to_write_is_no_call(calls: Calls) -> None:
    Unit().commit()
    assert calls.names == []


def test_a_dry_run_writes_nothing(calls: Calls) -> None:
    stored("a")
    before = len(calls.names)
    unit = Unit(dry_run=True)
    unit.put(row("b"))
    unit.create(row("a", 5), Conflict)
    unit.effect(effect.row(INTENT, NOW, purpose="probe", facts={}, reply={"n": 1}))
    unit.commit()
    assert len(calls.names) == before
    assert (n_of("a"), n_of("b"), effect.find(INTENT.effect_id)) == (0, None, None)


def test_a_dry_run_has_the_limits_of_a_real_one() -> None:
    unit = Unit(dry_run=True)
    for n in range(MAX_WRITES + 1):
        unit.put(row(str(n)))
    with pytest.raises(AssertionError):
        unit.commit()


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_unit_begins_again_with_its_settings_and_without_its_writes(dry_run: bool, calls: Calls) -> None:
    unit = Unit(0.5, dry_run)
    unit.put(row("a"))
    again = unit.again()
    assert (again.patience_seconds, again.dry_run) == (0.5, dry_run)
    again.commit()
    assert calls.names == []


def test_a_second_item_of_the_same_key_is_refused(table: None) -> None:
    stored("a")
    with pytest.raises(Conflict):
        stored("a", 5)
    assert n_of("a") == 0


def test_more_than_a_transaction_holds_is_a_broken_belief(table: None) -> None:
    unit = Unit()
    for n in range(MAX_WRITES + 1):
        unit.put(row(str(n)))
    with pytest.raises(AssertionError):
        unit.commit()


@pytest.mark.usefixtures("three")
def test_a_conflict_is_tried_again_with_a_fresh_token(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = inject(monkeypatch, iter([cancelled(CONFLICT), cancelled(None, CONFLICT)]))
    monkeypatch.setattr(clock, "sleep", lambda seconds: None)
    unit = unit_of_all()
    unit.patience_seconds = 5
    unit.commit()
    assert n_of("updated") == 1
    assert len(set(attempts.tokens)) == 3


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_what_passes_is_waited_for_and_a_failed_condition_beside_it_is_not_believed(
    monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    attempts = inject(monkeypatch, iter([cancelled(FAILED, code)]))
    monkeypatch.setattr(clock, "sleep", lambda seconds: None)
    unit = unit_of_all()
    unit.patience_seconds = 5
    unit.commit()
    assert len(attempts.tokens) == 2


def test_a_conflict_without_end_is_an_answer_in_time(table: None, monkeypatch: pytest.MonkeyPatch) -> None:
    at = [0.0]
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        at[0] += seconds

    monkeypatch.setattr(clock, "stopwatch", lambda: at[0])
    monkeypatch.setattr(clock, "sleep", sleep)
    monkeypatch.setattr("chalicelib.core.ids.jitter", lambda ceiling: ceiling)
    inject(monkeypatch, repeat(cancelled(CONFLICT)))
    unit = Unit(patience_seconds=2.0)
    unit.create(row("a"), Conflict)
    with pytest.raises(Unavailable) as refused:
        unit.commit()
    assert refused.value.retry_after_seconds == 1
    assert waits == [0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 0.64]
    assert n_of("a") is None


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("code", ["ValidationError", "ItemCollectionSizeLimitExceeded", "SomethingNew"])
def test_a_reason_nobody_foresaw_is_a_broken_belief(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    inject(monkeypatch, iter([cancelled(FAILED, code, CONFLICT)]))
    with pytest.raises(AssertionError, match=code):
        unit_of_all().commit()


def test_a_condition_that_cannot_fail_and_fails_is_a_broken_belief(
    table: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    inject(monkeypatch, iter([cancelled(FAILED)]))
    unit = Unit()
    unit.put(row("a"))
    with pytest.raises(AssertionError):
        unit.commit()


def test_a_lost_answer_is_not_taken_for_a_refusal(table: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for fault, left in ((lost_before, None), (lost_after, 0)):
        inject(monkeypatch, iter([fault]))
        unit = Unit()
        unit.create(row("a"), Conflict)
        with pytest.raises(TransactWriteError):
            unit.commit()
        assert n_of("a") == left


def test_what_is_fetched_is_what_is_there(calls: Calls) -> None:
    stored("a", 3)
    found: dict[Key, Any] = dict(table.fetch([row("a").key, row("b").key, row("a").key]))
    assert {key: found_row.n for key, found_row in found.items()} == {row("a").key: 3}
    assert calls.names == ["TransactWriteItems", "BatchGetItem"]


def test_whole_numbers_only(table: None) -> None:
    for wrong in (1.5, True, "1"):
        with pytest.raises(AssertionError):
            _ProbeRow("xiamen#probe#x", "probe", n=wrong).serialize()


@pytest.mark.usefixtures("table")
def test_a_page_ends_and_goes_on() -> None:
    unit = Unit()
    for n in range(5):
        unit.put(_ProbeRow("xiamen#probes", f"{n}", n=n))
    unit.commit()
    seen: list[int] = []
    after: str | None = None
    while True:
        rows, after = table.query(_ProbeRow, "xiamen#probes", limit=2, after=after)
        seen += [r.n for r in rows]
        if after is None:
            break
    assert seen == [0, 1, 2, 3, 4]
    rows, _ = table.query(_ProbeRow, "xiamen#probes", limit=2, descending=True)
    assert [r.n for r in rows] == [4, 3]
