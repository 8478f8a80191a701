"""What is refused of online payments and of banks' answers, and who sees what of them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.conftest import ISSUER
from tests.integration.medical.banking import PATH, Core, core_of
from tests.integration.medical.clinic import OTHER_BANK, Clinic
from tests.world import BANK, HOSPITAL

INVENTED = "xiamen.demo-bank." + "a" * 26


@pytest.fixture(scope="module")
def core(clinic: Clinic) -> Iterator[Core]:
    with core_of(clinic) as made:
        yield made


@pytest.fixture(scope="module")
def debtor(core: Core) -> str:
    """Somebody who owes 300 yuan."""
    return core.indebted(30_000)[0]


@pytest.mark.parametrize(
    ("amount", "currency", "status", "code"),
    [
        (1_000, "USD", 422, "repayment-currency"),
        (30_001, "CNY", 409, "repayment-exceeds-debt"),
        (1, "CNY", 422, "repayment-too-small"),
        (0, "CNY", 422, "invalid-request"),
        (-5, "CNY", 422, "invalid-request"),
        (10.5, "CNY", 422, "invalid-request"),
        (1_000.0, "CNY", 400, "malformed-request"),
        ("1000", "CNY", 422, "invalid-request"),
        (True, "CNY", 422, "invalid-request"),
        (10**11, "CNY", 422, "invalid-request"),
        (1_000, "cny", 422, "invalid-request"),
        (1_000, None, 422, "invalid-request"),
    ],
)
def test_a_payment_that_cannot_be_is_refused(
    core: Core, debtor: str, amount: Any, currency: Any, status: int, code: str
) -> None:
    before = len(core.all())
    answer = core.pay(debtor, amount, currency)
    assert (answer.status, answer.code) == (status, code)
    assert len(core.all()) == before


def test_a_closed_line_takes_what_is_owed_and_no_more(core: Core) -> None:
    who, hold_id, charge_id = core.indebted(30_000)
    core.clinic.move(who, "close")
    assert core.pay(who, 1_000).status == 201
    core.clinic.act("refunds", hold_id, {"charge_id": charge_id, "amount_fen": 30_000})
    assert core.pay(who, 1_000).code == "credit-line-closed"


def test_nobody_pays_on_a_line_that_is_not_his(core: Core, debtor: str) -> None:
    stranger = core.clinic.patient()
    assert core.pay(stranger, 1_000).code == "not-found"
    assert core.pay(debtor, 1_000, bank_id="other-bank").code == "not-found"
    visitor = core.clinic.insured(705, "hangzhou")
    assert core.pay(visitor, 1_000).code == "repayment-exceeds-debt", "his own line, on which nothing is owed"


def test_a_visitor_pays_what_he_owes(core: Core) -> None:
    who = core.clinic.insured(705, "hangzhou")
    hold_id = core.clinic.held(who, 10_000)
    core.clinic.capture(hold_id, 10_000)
    payment_id = core.paying(who, 10_000)
    core.send()
    assert (core.payment(who, payment_id).body["state"], core.repayments(who)) == ("accepted", [10_000])


def test_ONCE_the_same_request_again_is_one_payment(core: Core) -> None:
    who, _, _ = core.indebted(30_000)
    first, again = (core.pay(who, 1_000, key="pay-it-once") for _ in range(2))
    assert (first.text, again.replayed) == (again.text, True)
    assert core.pay(who, 2_000, key="pay-it-once").code == "idempotency-key-reused"
    core.send()
    assert core.repayments(who) == [1_000]


def test_a_payment_is_followed_by_whoever_made_it_and_nobody_else(core: Core, debtor: str) -> None:
    payment_id, stranger = core.paying(debtor, 1_000), core.clinic.insured()
    assert core.payment(debtor, payment_id).body["said"]["zh"]
    assert core.payment(stranger, payment_id).code == "not-found"
    assert core.payment(debtor, INVENTED).code == core.payment(debtor, "nothing").code == "not-found"
    core.send()
    (charged,) = [o for o in core.all() if o.kind == "disburse" and o.ref == core.clinic.world.ref(debtor)]
    assert core.payment(debtor, charged.instruction_id).code == "not-found", "no payment of his"


def test_MINIMAL_a_bank_knows_the_person_by_its_own_id_alone(core: Core, debtor: str) -> None:
    payment_id = core.paying(debtor, 1_000)
    seen = core.clinic.send("GET", f"{PATH}/{payment_id}", BANK)
    assert seen.body["subject_id"] == core.clinic.world.known_to(BANK, debtor)
    person_id, internal = core.clinic.world.ref(debtor).person_id, core.one(payment_id)
    assert not [secret for secret in (person_id, internal.about) if secret in seen.text]


def test_an_answer_is_taken_from_the_instructions_own_bank_alone(core: Core) -> None:
    who, _, _ = core.indebted(30_000)
    payment_id = core.paying(who, 1_000)
    assert core.answer(payment_id, OTHER_BANK, state="accepted", reference="B1").code == "not-found"
    assert core.answer(payment_id, HOSPITAL, state="accepted", reference="B1").code == "forbidden"
    assert core.answer(INVENTED, state="accepted", reference="B1").code == "not-found"
    path, said = f"{PATH}/{payment_id}/answers", {"state": "accepted", "reference": "B1"}
    forged = ISSUER.token("bank", "demo-bank", "xiamen", scope="credit:pull")
    assert core.clinic.world.post(path, BANK, said, token=forged).code == "forbidden"
    assert core.clinic.world.post(path, BANK, said, token=forged[:-6] + "AAAAAA").code == "unauthenticated"
    assert core.clinic.send("GET", f"{PATH}/{payment_id}", OTHER_BANK).code == "not-found"
    assert (core.one(payment_id).state, core.repayments(who)) == ("queued", [])
    core.send()


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"state": "accepted"},
        {"state": "unknown", "reference": "B1"},
        {"state": "accepted", "reference": ""},
        {"state": "accepted", "reference": "x" * 65},
        {"state": "accepted", "reference": "B 1"},
        {"state": "refused", "reference": "B1", "reason": "Mr Chen is dead"},
        {"state": "accepted", "reference": "B1", "amount_fen": 1},
    ],
)
def test_an_answer_of_another_form_says_nothing(core: Core, debtor: str, said: dict[str, Any]) -> None:
    payment_id = core.paying(debtor, 1_000)
    assert core.answer(payment_id, **said).code == "invalid-request"
    assert core.one(payment_id).state == "queued"
    core.answer(payment_id, state="refused", reference="B0")


def test_a_bank_that_contradicts_itself_is_not_believed_a_second_time(core: Core) -> None:
    who, _, _ = core.indebted(30_000)
    payment_id = core.paying(who, 1_000)
    assert core.answer(payment_id, state="refused", reference="B1", reason="no-funds").body["state"] == "refused"
    seen = core.answer(payment_id, state="accepted", reference="B2").body
    assert (seen["state"], [one["reference"] for one in seen["disputed"]]) == ("refused", ["B2"])
    again = core.answer(payment_id, state="accepted", reference="B2").body
    assert (again, core.repayments(who)) == (seen, [])


def test_ONCE_a_second_acceptance_by_another_reference_books_nothing(core: Core) -> None:
    who, _, _ = core.indebted(30_000)
    payment_id = core.paying(who, 1_000)
    core.send()
    seen = core.answer(payment_id, state="accepted", reference="B2")
    assert (seen.status, [one["reference"] for one in seen.body["disputed"]]) == (200, ["B2"])
    assert core.repayments(who) == [1_000]
    assert core.answer(payment_id, state="refused", reference="B3").body["state"] == "accepted"
    assert (core.repayments(who), core.bill(who).owed_fen) == ([1_000], 29_000)


def test_ONCE_answers_that_come_at_the_same_time_book_once(core: Core) -> None:
    who, _, _ = core.indebted(30_000)
    payment_id = core.paying(who, 1_000)
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(core.answer, payment_id, state="accepted", reference="B1") for _ in range(4)]
        answers = [one.result() for one in asked]
    assert {one.status for one in answers} == {200}, [one.text for one in answers]
    assert (core.repayments(who), core.one(payment_id).disputed) == ([1_000], ())


def test_ONCE_an_answer_sent_again_is_the_same_effect(core: Core) -> None:
    who, _, _ = core.indebted(30_000)
    payment_id = core.paying(who, 1_000)
    said = {"state": "accepted", "reference": "B1"}
    first, again = (core.answer(payment_id, key="answer-once", **said) for _ in range(2))
    assert (first.text, again.replayed) == (again.text, True)
    assert core.repayments(who) == [1_000]


def test_a_person_finds_who_answered_for_him(core: Core) -> None:
    who, _, _ = core.indebted(30_000)
    core.answer(core.paying(who, 1_000), state="accepted", reference="B1")
    looks = core.clinic.world.get("/v1/me/looks", f"citizen:{who}")["items"]
    assert {"pay-online", "answer:collect"} <= {one["purpose"] for one in looks}


def test_a_bank_may_fetch_what_is_queued_page_by_page(core: Core, debtor: str) -> None:
    made = {core.paying(debtor, 1_000 + n) for n in range(3)}
    core.pump.drain()
    found, path = [], f"{PATH}?state=queued&limit=2"
    while path:
        page = core.clinic.send("GET", path, BANK).body
        found += [one["instruction_id"] for one in page["items"]]
        path = f"{PATH}?state=queued&limit=2&cursor={page['next']}" if page["next"] else ""
    assert made <= set(found)
    assert len(found) == len(set(found))
    assert core.clinic.send("GET", f"{PATH}?state=queued", OTHER_BANK).body == {"items": [], "next": None}
    core.send()
    assert core.clinic.send("GET", f"{PATH}?state=queued", BANK).body["items"] == []


@pytest.mark.parametrize("query", ["", "?state=", "?state=lost", "?state=queued&limit=0"])
def test_a_list_is_of_one_state(core: Core, query: str) -> None:
    assert core.clinic.send("GET", PATH + query, BANK).code == "invalid-request"


def test_a_cursor_is_of_its_list(core: Core, debtor: str) -> None:
    for n in range(2):
        core.answer(core.paying(debtor, 500 + n), state="refused", reference=f"R{n}")
    cursor = core.clinic.send("GET", f"{PATH}?state=refused&limit=1", BANK).body["next"]
    assert cursor
    assert core.clinic.send("GET", f"{PATH}?state=accepted&cursor={cursor}", BANK).code == "cursor-invalid"
