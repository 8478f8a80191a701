"""The outbox with a bank's core over HTTP that misbehaves: what is asked is done once, what was done is booked once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.core import clock, codec
from chalicelib.core.errors import Unavailable
from chalicelib.core.stream import Change
from chalicelib.ledger import store as ledger
from chalicelib.medical import store
from chalicelib.medical.rules import outbox as rules
from chalicelib.medical.rules.outbox import LEASE_SECONDS
from chalicelib.medical.service import calling, sending
from chalicelib.medical.service.outbox import instruct
from infra.local.stub_bank import Misdeed
from tests.integration.core import faults
from tests.integration.medical.banking import OF, Core, core_of, wait_for
from tests.integration.medical.clinic import Clinic
from tests.unit.medical.post import later
from tests.world import BANK

LONG = 4_000.0


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "READ_TIMEOUT_SECONDS", 0.3)


@pytest.fixture(scope="module")
def core(clinic: Clinic) -> Iterator[Core]:
    with core_of(clinic) as made:
        made.bank.slow_seconds = 0.6
        yield made


def test_every_event_makes_one_instruction_and_the_bank_does_it(core: Core) -> None:
    who, hold_id, charge_id = core.indebted(30_000)
    core.clinic.act("refunds", hold_id, {"charge_id": charge_id, "amount_fen": 10_000})
    core.send()
    charge, refund = [one for one in core.all() if one.ref == core.clinic.world.ref(who)]
    assert (charge.kind, charge.amount_fen, charge.hospital_id) == ("disburse", 30_000, "demo-hospital")
    assert (refund.kind, refund.amount_fen, refund.undoes) == ("take_back", 10_000, charge.instruction_id)
    for one in (charge, refund):
        line = core.bank.book.lines[one.instruction_id]
        assert one.answer is not None
        assert (one.state, one.answer.reference, one.answer.way) == ("accepted", line.reference, "call")
        assert (line.amount_fen, line.day, line.state) == (one.amount_fen, f"{one.day}", "accepted")


def test_ONCE_an_event_that_comes_twice_makes_no_second_instruction(core: Core) -> None:
    who, _, charge_id = core.indebted()
    before = core.all()
    row = store.EventRow.get(*_event_key(core, who))
    assert isinstance(row, store.EventRow)
    for change in (Change(None, row), Change(None, row), Change(row, None), Change(row, row)):
        instruct(clock.now(), change)
    assert core.all() == before
    assert core.send().sent == 0
    assert charge_id in {one.about for one in before}


def _event_key(core: Core, who: str) -> tuple[str, str]:
    person_id = core.clinic.world.ref(who).person_id
    (version,) = [version for version, _ in store.events_after("xiamen", person_id, "demo-bank", 0)]
    return f"xiamen#bill#{person_id}/demo-bank", f"{version:09d}"


def test_an_online_payment_is_booked_once_the_bank_has_collected_it(core: Core) -> None:
    who, _, _ = core.indebted(30_000)
    payment_id = core.paying(who, 12_000)
    assert (core.payment(who, payment_id).body["state"], core.repayments(who)) == ("queued", [])
    assert core.bill(who).owed_fen == 30_000
    core.send()
    told = core.payment(who, payment_id).body
    assert (told["state"], told["booked_fen"], told["rest_fen"]) == ("accepted", 12_000, 0)
    assert (core.repayments(who), core.bill(who).owed_fen, core.clinic.standing(who)[1]) == ([12_000], 18_000, 18_000)
    entry = ledger.load_entry(core.one(payment_id).entry_id or "")
    moved = {posting.account.split("/")[3]: posting.amount for posting in entry.postings}
    assert (entry.book, moved) == ("xiamen/bank/demo-bank", {"cash": 12_000, "loans": -12_000})


@pytest.mark.parametrize(("misdeed", "done"), [("lose-answer", 1), ("slow", 1), ("garbage", 1), ("500", 0)])
def test_ONCE_an_answer_that_does_not_come_is_asked_for_again(core: Core, misdeed: str, done: int) -> None:
    who, _, _ = core.indebted(30_000)
    payment_id = core.paying(who, 12_000)
    core.bank.misbehave(misdeed)  # type: ignore[arg-type]
    assert core.send() == sending.Sent(1, 0)
    assert (core.payment(who, payment_id).body["state"], core.repayments(who)) == ("unknown", [])
    assert (payment_id in core.bank.book.lines) == bool(done)
    assert core.send().sent == 0, "it is not due yet"
    assert core.later(6) == sending.Sent(1, 1)
    assert core.bank.asked.count(payment_id) == 2
    assert (core.payment(who, payment_id).body["state"], core.repayments(who)) == ("accepted", [12_000])
    assert core.bank.book.csv().count(payment_id) == 1
    assert core.later(LONG).sent == 0


def test_ONCE_an_answer_that_comes_twice_books_once(core: Core) -> None:
    who, _, _ = core.indebted(30_000)
    payment_id, told = core.paying(who, 12_000), len(core.told)
    core.bank.misbehave("twice")
    core.send()
    wait_for(lambda: len(core.told) > told)
    assert (core.told[-1].status, core.told[-1].body["state"]) == (200, "accepted")
    assert (core.repayments(who), core.one(payment_id).disputed) == ([12_000], ())


def test_what_the_bank_refuses_is_not_booked(core: Core) -> None:
    who, _, _ = core.indebted(30_000)
    payment_id = core.paying(who, 12_000)
    core.bank.misbehave("refuse")
    core.send()
    seen = core.one(payment_id)
    assert seen.answer is not None
    assert (seen.state, seen.answer.reason, core.repayments(who)) == ("refused", "account-closed", [])
    assert core.payment(who, payment_id).body["said"]["en"].startswith("The bank took nothing")
    assert core.later(LONG).sent == 0


def test_an_outage_of_a_day_heals_by_itself(core: Core) -> None:
    who, _, _ = core.indebted(30_000)
    payment_id, seconds = core.paying(who, 12_000), 0.0
    while seconds < 24 * 3_600:
        core.bank.misbehave("500")
        core.later(seconds)
        due_at = core.one(payment_id).due_at
        assert due_at is not None
        seconds = (due_at - clock.now()).total_seconds() + 1
    assert core.one(payment_id).attempts < 40, "once an hour is enough"
    assert core.later(seconds) == sending.Sent(1, 1)
    assert (core.one(payment_id).state, core.repayments(who)) == ("accepted", [12_000])


def test_a_bank_that_stays_silent_is_left_to_its_file_and_may_answer_by_itself(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MOST_ATTEMPTS", 3)
    who, _, _ = core.indebted(30_000)
    payment_id = core.paying(who, 12_000)
    for attempt in range(3):
        core.bank.misbehave("500")
        core.later(attempt * LONG)
    assert (core.one(payment_id).state, core.one(payment_id).due_at) == ("unknown", None)
    assert core.later(100 * LONG).sent == 0
    answer = core.answer(payment_id, state="accepted", reference="B-7")
    assert (answer.status, answer.body["state"], answer.body["booked_fen"]) == (200, "accepted", 12_000)
    assert core.repayments(who) == [12_000]


def test_ONCE_a_sender_that_dies_in_its_call_is_followed_by_another(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, _, _ = core.indebted(30_000)
    payment_id = core.paying(who, 12_000)
    with monkeypatch.context() as dying:
        asked = calling.ask

        def die(*order: object) -> None:
            asked(*order)  # type: ignore[arg-type]
            raise KeyboardInterrupt

        dying.setattr(calling, "ask", die)
        with pytest.raises(KeyboardInterrupt):
            core.send()
    assert (core.one(payment_id).state, payment_id in core.bank.book.lines) == ("sent", True)
    assert core.send().sent == 0, "its lease is not over"
    assert core.later(LEASE_SECONDS + 1) == sending.Sent(1, 1)
    assert (core.one(payment_id).attempts, core.repayments(who)) == (2, [12_000])


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("fault", [faults.lost_before, faults.lost_after])
def test_ONCE_a_write_that_is_lost_books_nothing_twice_and_loses_nothing(
    core: Core, monkeypatch: pytest.MonkeyPatch, fault: faults.Fault, place: int
) -> None:
    who, _, _ = core.indebted(30_000)
    payment_id = core.paying(who, 12_000)

    def write(_: object, done: object) -> None:
        done()  # type: ignore[operator]

    with monkeypatch.context() as faulty:
        faults.inject(faulty, iter([*[write] * place, fault]))
        assert core.send() == sending.Sent(place, 0, failed=1)
    for attempt in range(1, 4):
        core.later(attempt * LONG)
    assert (core.one(payment_id).state, core.repayments(who)) == ("accepted", [12_000])
    assert core.bank.book.csv().count(payment_id) == 1


def test_a_refund_meanwhile_makes_a_rest_that_is_given_back(core: Core) -> None:
    who, hold_id, charge_id = core.indebted(30_000)
    payment_id = core.paying(who, 30_000)
    core.clinic.act("refunds", hold_id, {"charge_id": charge_id, "amount_fen": 10_000})
    core.send()
    told = core.payment(who, payment_id).body
    assert (told["booked_fen"], told["rest_fen"]) == (20_000, 10_000)
    assert "given back" in told["said"]["en"]
    assert (core.repayments(who), core.bill(who).owed_fen) == ([20_000], 0)
    (back,) = [one for one in core.all() if one.undoes == payment_id]
    assert (back.kind, back.amount_fen, back.state) == ("give_back", 10_000, "accepted")
    assert core.bank.book.lines[back.instruction_id].amount_fen == 10_000


def test_what_is_collected_when_nothing_is_owed_any_more_is_all_given_back(core: Core) -> None:
    who, hold_id, charge_id = core.indebted(30_000)
    twice = [core.paying(who, fen) for fen in (20_000, 10_000)]
    core.clinic.act("refunds", hold_id, {"charge_id": charge_id, "amount_fen": 30_000})
    core.send()
    for payment_id in twice:
        assert (core.one(payment_id).booked_fen, core.one(payment_id).entry_id) == (0, None)
    given = [core.bank.book.lines[one.instruction_id].amount_fen for one in core.all() if one.undoes in twice]
    assert (sorted(given), core.repayments(who)) == ([10_000, 20_000], [])


@pytest.mark.parametrize(
    ("misdeed", "told"),
    [("refuse", "Please ask the bank"), ("lose-answer", "is being given back"), (None, "it has given back")],
)
def test_a_person_is_told_what_has_become_of_what_was_too_much(core: Core, misdeed: Misdeed | None, told: str) -> None:
    who, hold_id, charge_id = core.indebted(30_000)
    payment_id = core.paying(who, 30_000)
    core.clinic.act("refunds", hold_id, {"charge_id": charge_id, "amount_fen": 10_000})
    core.answer(payment_id, state="accepted", reference="B1")
    assert "is being given back" in core.payment(who, payment_id).body["said"]["en"], "it is queued"
    core.bank.misbehave(*([] if misdeed is None else [misdeed] * 2))
    core.send()
    assert told in core.payment(who, payment_id).body["said"]["en"]
    assert core.payment(who, payment_id).body["rest_fen"] == 10_000


def test_no_more_is_collected_than_is_owed(core: Core) -> None:
    who, _, _ = core.indebted(30_000)
    first = core.paying(who, 20_000)
    refused = core.pay(who, 10_001)
    assert (refused.status, refused.code) == (409, "repayment-exceeds-debt")
    assert "is collecting" in refused.text or "正在扣收" in refused.text
    second = core.paying(who, 10_000)
    core.bank.misbehave("lose-answer", "refuse")
    core.send()
    assert {core.one(one).state for one in (first, second)} == {"unknown", "refused"}
    (waiting,) = [one for one in (first, second) if core.one(one).state == "unknown"]
    ended_fen = 30_000 - core.one(waiting).amount_fen
    assert core.pay(who, ended_fen + 1).code == "repayment-exceeds-debt", "what may have been collected counts still"
    third = core.paying(who, ended_fen)
    core.later(6)
    assert {core.one(one).state for one in (waiting, third)} == {"accepted"}
    assert (sum(core.repayments(who)), core.bill(who).owed_fen) == (30_000, 0)


def test_ONCE_payments_that_race_are_not_more_than_is_owed(core: Core) -> None:
    who, _, _ = core.indebted(30_000)
    with ThreadPoolExecutor(5) as pool:
        statuses = [one.status for one in pool.map(lambda _: core.pay(who, 30_000), range(5))]
    assert sorted(statuses) == [201, 409, 409, 409, 409]
    core.send()
    assert (core.repayments(who), core.bill(who).owed_fen) == ([30_000], 0)
    assert not [one for one in core.all() if one.kind == "give_back" and one.ref == core.clinic.world.ref(who)]


def test_the_same_answer_twice_counts_a_payment_out_once(core: Core) -> None:
    who, _, _ = core.indebted(30_000)
    first, second = core.paying(who, 10_000), core.paying(who, 20_000)
    for _ in range(2):
        core.answer(first, state="refused", reference="B1")
    core.answer(first, state="refused", reference="B2")
    assert core.pay(who, 10_001).code == "repayment-exceeds-debt"
    third = core.paying(who, 10_000)
    core.send()
    assert {core.one(one).state for one in (second, third)} == {"accepted"}


def test_a_payment_that_has_become_less_than_the_least_is_given_back(core: Core) -> None:
    who, hold_id, _ = core.indebted(50)
    payment_id = core.paying(who, 50)
    further = core.clinic.held(who, 20_000)
    assert core.clinic.capture(further, 20_000).status == 201
    core.send()
    assert (core.one(payment_id).booked_fen, core.one(payment_id).rest_fen) == (0, 50)
    assert hold_id != further


def test_several_silent_calls_in_a_row_leave_a_bank_alone_for_this_time(core: Core) -> None:
    who, _, _ = core.indebted(30_000)
    payments = [core.paying(who, 100 * n) for n in range(1, 6)]
    for _ in range(sending.MOST_SILENT):
        core.bank.misbehave("500")
    assert core.send() == sending.Sent(sending.MOST_SILENT, 0, False)
    assert core.send() == sending.Sent(2, 2)
    assert core.later(6) == sending.Sent(3, 3)
    assert sorted(core.repayments(who)) == [100, 200, 300, 400, 500]
    assert len(set(payments)) == 5


def test_more_than_a_page_is_sent_as_long_as_there_is_time(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    who, _, _ = core.indebted(30_000)
    monkeypatch.setattr(sending, "AT_ONCE", 2)
    payments = [core.paying(who, 100 * n) for n in range(1, 6)]
    assert sending.send_due(*OF, core.bank.address, seconds=-1) == sending.Sent(0, 0, False)
    assert core.send() == sending.Sent(5, 5)
    assert {core.one(one).state for one in payments} == {"accepted"}


def test_ONCE_senders_that_run_at_the_same_time_ask_once(core: Core) -> None:
    who, _, _ = core.indebted(30_000)
    payments = [core.paying(who, 100 * n) for n in range(1, 7)]
    with ThreadPoolExecutor(3) as pool:
        sent = [pool.submit(sending.send_due, *OF, core.bank.address) for _ in range(3)]
        total = sum(one.result().sent for one in sent)
    assert total == len(payments)
    assert [core.bank.asked.count(one) for one in payments] == [1] * 6
    assert sorted(core.repayments(who)) == [100, 200, 300, 400, 500, 600]


def test_without_an_address_everything_stays_queued(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    who, _, _ = core.indebted(30_000)
    payment_id = core.paying(who, 100)
    assert sending.send_all({}) == sending.Sent()
    assert core.one(payment_id).state == "queued"
    monkeypatch.setattr(sending, "addresses_of", lambda _: {OF: core.bank.address})
    assert sending.send_all({}) == sending.Sent(1, 1)
    assert core.one(payment_id).state == "accepted"


def test_another_bank_is_the_first_every_minute() -> None:
    listed = {("xiamen", name): "x" for name in ("a-bank", "b-bank", "c-bank")}
    turns = [[of[1][0] for of, _ in sending.in_turn(listed, later(60 * n))] for n in range(4)]
    assert sorted("".join(turn) for turn in turns[:3]) == ["abc", "bca", "cab"]
    assert turns[3] == turns[0]
    assert sending.in_turn({}, later(0)) == []


def test_an_address_is_over_https_or_on_this_computer() -> None:
    assert sending.addresses_of('{"xiamen/demo-bank": "https://core.example/x"}') == {OF: "https://core.example/x"}
    for address in ("http://core.example/x", "ftp://core.example", ""):
        with pytest.raises(AssertionError, match="https"):
            sending.addresses_of(codec.to_json({"xiamen/demo-bank": address}))


def test_a_busy_table_makes_the_stream_come_again(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    who = core.clinic.insured()
    core.clinic.capture(core.clinic.held(who, 700), 700)
    row = store.EventRow.get(*_event_key(core, who))
    with monkeypatch.context() as busy:
        faults.inject(busy, iter([faults.cancelled(faults.CONFLICT)] * 400))
        busy.setattr("chalicelib.medical.service.outbox.PATIENCE_SECONDS", 0.01)
        with pytest.raises(Unavailable):
            instruct(clock.now(), Change(None, row))
    assert [one.kind for one in core.all() if one.ref == core.clinic.world.ref(who)] == ["disburse"]
    core.send()


def test_what_a_call_and_a_booking_cost(core: Core) -> None:
    who, _, _ = core.indebted(30_000)
    with core.clinic.world.calls() as asked:
        payment_id = core.paying(who, 12_000)
    assert sorted(asked.names) == ["BatchGetItem", "Query", "TransactWriteItems"]
    with core.clinic.world.calls() as sent:
        assert sending.send_due(*OF, core.bank.address) == sending.Sent(1, 1)
    due, taken = ["Query", "BatchGetItem"], ["TransactWriteItems"]
    booked = ["BatchGetItem", "BatchGetItem", "Query", "TransactWriteItems"]
    assert [name for name in sent.names if name != "GetItem"] == [*due, *taken, *booked, "Query"]
    with core.clinic.world.calls() as listed:
        core.clinic.send("GET", "/v1/credit-instructions?state=accepted", BANK)
    assert listed.names == ["Query", "BatchGetItem"]
    with core.clinic.world.calls() as read:
        core.payment(who, payment_id)
        core.clinic.send("GET", f"/v1/credit-instructions/{payment_id}", BANK)
    assert read.names == ["BatchGetItem"] * 2
