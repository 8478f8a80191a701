"""Banks are asked independently of each other: what one of them does, or what is wrong with one instruction, costs
nobody else. Counted and put in order, with cores over HTTP that misbehave; nothing is measured in seconds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from io import StringIO
from itertools import count
from typing import Any

import pytest

from chalicelib.core import clock, log, signing, table
from chalicelib.core.commit import Unit
from chalicelib.medical.rules import Reminder
from chalicelib.medical.rules import outbox as rules
from chalicelib.medical.rules.instructions import Instruction, instructed
from chalicelib.medical.rules.outbox import LEASE_SECONDS
from chalicelib.medical.service import calling, sending
from chalicelib.medical.service.outbox import answer
from chalicelib.medical.service.sending import MOST_SILENT, Sent
from chalicelib.medical.store import outbox
from chalicelib.subjects.rules import AccountRef
from infra.local.stub_bank import StubBank
from tests.integration.medical.banking import wait_for
from tests.unit.medical.post import TODAY, later
from tests.world import World

REF = AccountRef("xiamen", "s_somebody")
NUMBERS = count()


class Street:
    """Several banks, each with a core of its own over HTTP, and the order in which they are asked."""

    def __init__(self) -> None:
        self.banks: dict[str, StubBank] = {}
        self.order: list[str] = []

    def bank(self, *misdeeds: Any) -> str:
        """The id of a new bank; nobody has asked it anything yet."""
        bank_id = f"bank-{next(NUMBERS):03d}"
        self.banks[bank_id] = _Noting(bank_id, self.order).start()
        self.banks[bank_id].misbehave(*misdeeds)
        return bank_id

    def queue(self, bank_id: str, many: int = 1) -> list[str]:
        """The ids of so many new reminders for a bank, the longest due first."""
        made = [self._reminder(bank_id, n) for n in range(many)]
        for one in made:
            save(one)
        return [one.instruction_id for one in made]

    def _reminder(self, bank_id: str, seconds: int) -> Instruction:
        event = Reminder(f"xiamen.m{next(NUMBERS)}", TODAY, ("xiamen.c",))
        made = instructed("xiamen", bank_id, REF, event, later(seconds))
        assert made is not None
        return made

    def send(self) -> Sent:
        done: Sent = sending.send_all({})
        return done

    def addresses(self) -> dict[tuple[str, str], str]:
        return {("xiamen", bank_id): bank.address for bank_id, bank in self.banks.items()}


class _Noting(StubBank):
    """A bank that notes when it is asked."""

    def __init__(self, bank_id: str, order: list[str]) -> None:
        super().__init__(signing.jwks)
        self.bank_id, self.order = bank_id, order

    def next_misdeed(self) -> Any:
        self.order.append(self.bank_id)
        return super().next_misdeed()


def save(one: Instruction) -> None:
    unit = Unit()
    outbox.save_instruction(unit, one)
    unit.commit()


def one(bank_id: str, instruction_id: str) -> Instruction:
    found = outbox.load_instruction("xiamen", bank_id, instruction_id)
    assert found is not None
    return found


@pytest.fixture
def street(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Street]:
    made = Street()
    monkeypatch.setattr(calling, "READ_TIMEOUT_SECONDS", 30.0)
    monkeypatch.setattr(calling, "WHOLE_TIMEOUT_SECONDS", 60.0)
    monkeypatch.setattr(sending, "addresses_of", lambda _: made.addresses())
    yield made
    for bank in made.banks.values():
        bank.stop()


@pytest.fixture
def running() -> Iterator[Callable[[Callable[[], Sent]], Future[Sent]]]:
    """Runs something beside the test, to its end."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit


def test_a_bank_that_does_not_answer_holds_up_itself_alone(street: Street, running: Any) -> None:
    silent = street.bank("hang")
    others = [street.bank() for _ in range(3)]
    first, second = street.queue(silent, 2)
    queued = {bank_id: street.queue(bank_id, 4) for bank_id in others}
    under_way = running(street.send)
    try:
        wait_for(lambda: all(set(street.banks[bank].book.lines) == set(ids) for bank, ids in queued.items()))
        wait_for(lambda: street.banks[silent].asked == [first])
        assert (one(silent, first).state, one(silent, second).state) == ("sent", "queued")
        assert not under_way.done()
    finally:
        street.banks[silent].go_on.set()
    assert under_way.result() == Sent(14, 14)
    assert {one(bank, each).state for bank, ids in queued.items() for each in ids} == {"accepted"}
    assert street.banks[silent].asked == [first, second]


def test_each_bank_is_asked_in_its_own_order(street: Street) -> None:
    queued = {street.bank(): 0 for _ in range(3)}
    wanted = {bank_id: street.queue(bank_id, 5) for bank_id in queued}
    assert street.send() == Sent(15, 15)
    assert {bank_id: street.banks[bank_id].asked for bank_id in wanted} == wanted


def test_so_many_banks_are_asked_at_a_time_and_no_more(
    street: Street, running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "BANKS_AT_ONCE", 2)
    monkeypatch.setattr(sending, "in_turn", lambda addresses, _: sorted(addresses.items()))
    first, second, third = street.bank("hang"), street.bank("hang"), street.bank()
    for bank_id in (first, second, third):
        street.queue(bank_id)
    busy = Street()
    elsewhere = busy.bank()
    busy.queue(elsewhere, 20)
    under_way = running(street.send)
    try:
        wait_for(lambda: len(street.order) == 2)
        assert sending.send_due("xiamen", elsewhere, busy.banks[elsewhere].address) == Sent(20, 20)
        assert sorted(street.order) == [first, second], "the third had as much time as twenty instructions take"
        street.banks[second].go_on.set()
        wait_for(lambda: len(street.order) == 3)
        assert (street.order[2], under_way.done()) == (third, False)
    finally:
        for bank_id in (first, second):
            street.banks[bank_id].go_on.set()
        busy.banks[elsewhere].stop()
    assert under_way.result() == Sent(3, 3)


def test_a_bank_that_says_nothing_is_asked_a_few_times_whatever_others_say(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged = StringIO()
    monkeypatch.setattr(log, "sink", logged)
    silent, other = street.bank(*["500"] * 9), street.bank()
    street.queue(silent, 9)
    street.queue(other, 9)
    assert street.send() == Sent(9 + MOST_SILENT, 9, all_taken=False)
    *silent_calls, told = map(json.loads, logged.getvalue().splitlines())
    assert [one["event"] for one in silent_calls] == ["bank-silent"] * MOST_SILENT
    assert (told["event"], told["level"], told["code"]) == ("sending", "info", "unfinished")
    assert (len(street.banks[silent].asked), len(street.banks[other].asked)) == (MOST_SILENT, 9)


def test_banks_that_are_asked_at_once_share_no_time(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    shares: list[float] = []
    monkeypatch.setattr(sending, "BANKS_AT_ONCE", 3)
    monkeypatch.setattr(clock, "stopwatch", lambda: 0.0)

    def note(city_id: str, bank_id: str, address: str, seconds: float) -> Sent:
        shares.append(seconds)
        return Sent()

    monkeypatch.setattr(sending, "send_due", note)
    for _ in range(4):
        street.bank()
    street.send()
    assert sorted(shares) == [20.0, 40.0, 40.0, 40.0], "four banks are asked in two turns"


def test_what_goes_wrong_with_one_bank_is_its_own(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    logged = StringIO()
    monkeypatch.setattr(log, "sink", logged)
    broken, sound = street.bank(), street.bank()
    street.queue(broken)
    street.queue(sound, 2)
    list_due = outbox.list_due

    def look(city_id: str, bank_id: str, *more: Any) -> Any:
        assert bank_id != broken
        return list_due(city_id, bank_id, *more)

    monkeypatch.setattr(outbox, "list_due", look)
    assert street.send() == Sent(2, 2, all_taken=False, failed=1)
    assert street.banks[broken].asked == []
    crash, told = map(json.loads, logged.getvalue().splitlines())
    assert (crash["event"], told["event"], told["level"], told["code"]) == ("crash", "sending", "error", "failed")


def test_an_instruction_that_cannot_be_read_keeps_no_other(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    logged = StringIO()
    monkeypatch.setattr(log, "sink", logged)
    monkeypatch.setattr(sending, "AT_ONCE", 2)
    bank_id = street.bank()
    *poisoned, sound = street.queue(bank_id, 4)
    for instruction_id in poisoned:
        row = table.fetch([outbox.instruction_key("xiamen", bank_id, instruction_id)]).popitem()[1]
        row.document = '{"kind": "x"}'  # type: ignore[attr-defined]
        row.save()
    assert street.send() == Sent(1, 1, failed=6), "they fill the first page, and are tried in each of two rounds"
    assert street.banks[bank_id].asked == [sound]
    assert logged.getvalue().count('"event": "crash"') == 6


def test_an_answer_that_cannot_be_written_is_asked_for_after_longer_and_longer_waits(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank_id = street.bank()
    poisoned, sound = street.queue(bank_id, 2)

    def broken(unit: Any, now: Any, place: Any, said: Any) -> Any:
        assert place.instruction_id != poisoned
        return answer(unit, now, place, said)

    monkeypatch.setattr(sending, "answer", broken)
    assert street.send() == Sent(2, 1, failed=1)
    waits, now = list[float](), clock.now()
    for _ in range(3):
        seen = one(bank_id, poisoned)
        assert (seen.state, one(bank_id, sound).state) == ("unknown", "accepted")
        assert seen.due_at is not None
        waits.append((seen.due_at - now).total_seconds())
        now = seen.due_at
        with clock.fixed(now):
            assert street.send() == Sent(1, 0, failed=1)
    assert waits[0] < LEASE_SECONDS, "it does not wait for its lease"
    assert waits[1:] == [rules.wait_seconds(2), rules.wait_seconds(3)]


def test_a_call_that_breaks_here_is_one_without_an_answer(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    bank_id = street.bank()
    queued = street.queue(bank_id, MOST_SILENT + 2)

    def broken(*_: Any) -> Any:
        raise UnicodeError

    monkeypatch.setattr(calling, "ask", broken)
    assert street.send() == Sent(MOST_SILENT, 0, all_taken=False, failed=MOST_SILENT)
    states = [one(bank_id, each).state for each in queued]
    assert states == ["unknown"] * MOST_SILENT + ["queued"] * 2, "nothing waits for its lease, and no more is tried"


def test_what_is_due_to_several_banks_is_sent_by_the_app_s_own_function(
    street: Street,
) -> None:
    from app import outbox as function

    banks = [street.bank() for _ in range(3)]
    for bank_id in banks:
        street.queue(bank_id)
    said = function({"id": "tick-1"}, None)
    assert said["reply"] == {"sent": 3, "answered": 3, "all_taken": True, "failed": 0}
