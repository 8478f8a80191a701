"""What happens to one instruction at the same time: clocks that disagree, a call beside a file, two answers, a request
that is repeated late. It is done once, booked once, and the first answer stands."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chalicelib.medical.rules.outbox import LEASE_SECONDS
from chalicelib.medical.service import calling, sending
from chalicelib.medical.service.sending import Sent
from tests.integration.medical.banking import OF, Core, core_of, wait_for
from tests.integration.medical.clinic import Clinic
from tests.integration.medical.desk import Clerk

LONG = 4_000.0


@pytest.fixture
def core(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> Iterator[Core]:
    """A core of its own; what was instructed before is forgotten, and a silent call is waited for."""
    monkeypatch.setattr(calling, "READ_TIMEOUT_SECONDS", 30.0)
    monkeypatch.setattr(calling, "WHOLE_TIMEOUT_SECONDS", 60.0)
    with core_of(clinic) as made:
        made.start_afresh()
        yield made


def owing(core: Core, fen: int = 12_000) -> tuple[str, str]:
    """Somebody who owes 300 yuan and has asked to pay so much of it online: who, and the instruction."""
    who, _, _ = core.indebted(30_000)
    return who, core.paying(who, fen)


def call_under_way(core: Core, pool: ThreadPoolExecutor, instruction_id: str) -> Iterator[Sent]:
    """Has the bank asked, which does it and does not say so; at the second step it says so."""
    core.bank.misbehave("hang")
    first = pool.submit(sending.send_due, *OF, core.bank.address)
    wait_for(lambda: instruction_id in core.bank.book.lines)
    yield Sent()
    core.bank.go_on.set()
    yield first.result()


@pytest.mark.parametrize("ahead_seconds", [LEASE_SECONDS + 1, LONG])
def test_ONCE_a_sender_whose_clock_is_fast_asks_again_for_nothing_new(core: Core, ahead_seconds: float) -> None:
    who, payment_id = owing(core)
    with ThreadPoolExecutor(1) as pool:
        steps = call_under_way(core, pool, payment_id)
        next(steps)
        assert core.later(ahead_seconds) == Sent(1, 1)
        assert next(steps) == Sent(1, 1), "its answer is the same again"
    seen = core.one(payment_id)
    assert (core.bank.asked.count(payment_id), seen.attempts, seen.disputed) == (2, 2, ())
    assert core.repayments(who) == [12_000]


def test_a_sender_whose_clock_is_slow_takes_nothing_up_before_its_time(core: Core) -> None:
    who, payment_id = owing(core)
    assert core.later(-LONG) == Sent()
    assert (core.one(payment_id).state, core.bank.asked.count(payment_id)) == ("queued", 0)
    assert core.send() == Sent(1, 1)
    assert core.repayments(who) == [12_000]


def test_ONCE_a_file_that_comes_while_the_bank_is_asked_settles_the_same(
    core: Core, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    who, payment_id = owing(core)
    clerk = Clerk(core, tmp_path / "bank.csv", capsys)
    with ThreadPoolExecutor(1) as pool:
        steps = call_under_way(core, pool, payment_id)
        next(steps)
        assert core.one(payment_id).state == "sent"
        _, found = clerk.report(None, "--settle")
        assert (found["settled"], found["left"]) == (1, 0)
        assert next(steps) == Sent(1, 1)
    seen = core.one(payment_id)
    assert seen.answer is not None
    assert (seen.state, seen.answer.way, seen.disputed, core.repayments(who)) == ("accepted", "file", (), [12_000])
    assert clerk.counts() == {}


def test_ONCE_answers_that_contradict_each_other_at_the_same_time_are_both_kept(core: Core) -> None:
    for _ in range(4):
        who, payment_id = owing(core)
        said = [{"state": "accepted", "reference": "B1"}, {"state": "refused", "reference": "B1"}]
        with ThreadPoolExecutor(2) as pool:
            told = [pool.submit(core.answer, payment_id, **one) for one in said]
            assert [one.result().status for one in told] == [200, 200]
        seen = core.one(payment_id)
        assert seen.answer is not None
        assert sorted([seen.answer.state, *(one.state for one in seen.disputed)]) == ["accepted", "refused"]
        assert core.repayments(who) == ([12_000] if seen.state == "accepted" else [])


def test_ONCE_a_payment_whose_request_is_repeated_after_it_was_booked_is_the_same_one(core: Core) -> None:
    who, _, _ = core.indebted(30_000)
    first = core.pay(who, 30_000, key="pay-all-of-it")
    core.send()
    assert (first.status, core.bill(who).owed_fen, core.repayments(who)) == (201, 0, [30_000])
    again = core.pay(who, 30_000, key="pay-all-of-it")
    assert (again.status, again.replayed, again.body) == (201, True, first.body), "though nothing is owed any more"
    assert core.pay(who, 30_000).code == "repayment-exceeds-debt"
    core.send()
    assert (core.repayments(who), core.bank.asked.count(first.body["instruction_id"])) == ([30_000], 1)
