"""Visits over HTTP: an estimate held and raised, insurance first, items captured and refunded, and how it ends."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.core import clock
from tests.integration.medical.clinic import SCENARIO, Clinic
from tests.integration.medical.debts import LOANS, bill, entries, repay
from tests.integration.medical.reception import Reception
from tests.world import BANK, HOSPITAL


def test_a_visit_from_the_estimate_to_the_kiosk(clinic: Clinic, reception: Reception) -> None:
    who = clinic.insured()
    limit_fen = clinic.standing(who)[0]
    opened = reception.open(who, 50_000)
    assert opened.status == 201, opened.text
    visit_id, known_as = opened.body["visit_id"], clinic.world.known_to(HOSPITAL, who)
    assert (opened.body["patient_id"], opened.body["payer_id"]) == (known_as, known_as)
    assert (opened.body["state"], opened.body["held_fen"], opened.body["items"]) == ("open", 50_000, [])
    assert [hold["hold_id"] for hold in opened.body["holds"]] == [visit_id], "a visit shares its first hold's id"
    assert clinic.standing(who) == (limit_fen, 0, 50_000)
    scan = reception.enter(visit_id, "scan-1", 40_000, kind="examination")
    assert (scan.status, scan.body["item"]["own_fen"], scan.body["short_fen"]) == (201, None, 0)
    assert reception.insure(visit_id, "scan-1", 25_000).body["item"]["own_fen"] == 15_000
    done = reception.capture(visit_id, "scan-1")
    assert (done.status, done.body["captured_fen"], done.body["held_fen"]) == (200, 15_000, 35_000)
    assert reception.enter(visit_id, "bed-1", 60_000, 20_000, kind="bed").body["short_fen"] == 5_000
    assert reception.capture(visit_id, "bed-1").code == "estimate-too-low"
    raised = reception.act(visit_id, "raise", {"amount_fen": 10_000})
    assert (raised.status, raised.body["held_fen"], raised.body["short_fen"]) == (201, 45_000, 0)
    assert len(raised.body["holds"]) == 2
    assert reception.capture(visit_id, "bed-1").body["captured_fen"] == 40_000
    assert clinic.standing(who) == (limit_fen, 55_000, 5_000)
    ended = reception.settle(visit_id, "kiosk")
    assert (ended.status, ended.body["returned_fen"]) == (200, 5_000)
    seen = reception.read(visit_id).body
    assert seen == ended.body["visit"]
    assert (seen["state"], seen["settled_at"], seen["captured_fen"], seen["held_fen"]) == (
        "settled",
        "kiosk",
        55_000,
        0,
    )
    assert clinic.standing(who) == (limit_fen, 55_000, 0)


def test_LEDGER_an_item_is_a_charge_for_each_hold_and_one_entry(clinic: Clinic, reception: Reception) -> None:
    who = clinic.insured()
    visit_id = reception.opened(who, 10_000)
    reception.raised(visit_id, [20_000, 5_000])
    reception.enter(visit_id, "op-1", 32_000, 0, kind="surgery")
    assert reception.capture(visit_id, "op-1").status == 200
    debts = bill(clinic, who).account.debts
    assert sorted(debt.charge.amount_fen for debt in debts) == [2_000, 10_000, 20_000]
    assert {(debt.charge.visit_id, debt.charge.item_id) for debt in debts} == {("V-7", "op-1")}
    (item,) = reception.visit(visit_id).items
    assert set(item.charge_ids) == {debt.charge.charge_id for debt in debts}
    loans = LOANS + clinic.world.known_to(BANK, who)
    found = [e for e in entries() if any(p.account == loans for p in e.postings)]
    assert [sum(p.amount for p in one.postings if p.account == loans) for one in found] == [32_000]
    assert reception.refund(visit_id, "op-1", 25_000).body["refunded_fen"] == 25_000
    assert clinic.standing(who)[1:] == (7_000, 3_000)
    assert reception.refund(visit_id, "op-1", 7_000).status == 201
    assert bill(clinic, who).account.posted_fen == 0


def test_LEDGER_an_item_is_refunded_before_and_after_it_was_repaid(clinic: Clinic, reception: Reception) -> None:
    who = clinic.insured()
    visit_id = reception.opened(who, 30_000)
    reception.enter(visit_id, "drug-1", 30_000, 0)
    reception.capture(visit_id, "drug-1")
    before = reception.refund(visit_id, "drug-1", 10_000)
    assert (before.status, before.body["refunded_fen"]) == (201, 10_000)
    assert bill(clinic, who).account.back_fen == 0
    assert repay(clinic, who, 15_000).status == 201
    assert reception.settle(visit_id).status == 200
    after = reception.refund(visit_id, "drug-1", 20_000)
    assert (after.status, after.body["refunded_fen"]) == (201, 20_000)
    assert set(after.body) == set(before.body) == {"visit_id", "item", "refunded_fen"}, "not what the bank is owed"
    assert after.body["item"]["refunded_fen"] == 30_000
    assert reception.read(visit_id).body["refunded_fen"] == 30_000
    assert clinic.standing(who)[1] == 0
    assert bill(clinic, who).account.back_fen == 15_000


def test_an_item_that_insurance_pays_wholly_takes_nothing(clinic: Clinic, reception: Reception) -> None:
    who = clinic.insured()
    visit_id = reception.opened(who, 1_000)
    reception.enter(visit_id, "lab-1", 500, 500, kind="laboratory")
    before = clinic.line(who)
    for _ in range(2):
        assert reception.capture(visit_id, "lab-1").body["captured_fen"] == 0
    assert clinic.line(who) == before
    assert reception.refund(visit_id, "lab-1", 1).code == "visit-item-not-captured"
    assert reception.settle(visit_id, "app").body["returned_fen"] == 1_000


def test_an_item_that_is_paid_otherwise_is_withdrawn(clinic: Clinic, reception: Reception) -> None:
    who = clinic.patient()
    visit_id = reception.opened(who, 10**9, emergency=True)
    limit_fen = clinic.standing(who)[0]
    reception.enter(visit_id, "op-1", limit_fen + 1, 0, kind="surgery")
    assert reception.capture(visit_id, "op-1").code == "estimate-too-low"
    assert reception.settle(visit_id).code == "visit-items-outstanding"
    gone = reception.act(visit_id, "items/op-1/withdraw")
    assert (gone.status, gone.body["item"]["amount_fen"], gone.body["short_fen"]) == (200, limit_fen + 1, 0)
    assert reception.act(visit_id, "items/op-1/withdraw").code == "visit-item-unknown"
    reception.enter(visit_id, "op-1", limit_fen, 0, kind="surgery")
    assert reception.capture(visit_id, "op-1").status == 200
    assert reception.act(visit_id, "items/op-1/withdraw").code == "visit-item-captured"
    assert reception.settle(visit_id).status == 200
    assert reception.act(visit_id, "items/op-1/withdraw").code == "visit-over"


def test_LIMIT_a_visit_of_which_nothing_was_captured_is_cancelled(clinic: Clinic, reception: Reception) -> None:
    who = clinic.insured()
    visit_id = reception.opened(who, 10_000)
    reception.raised(visit_id, [2_000])
    reception.enter(visit_id, "a", 500, 0)
    ended = reception.act(visit_id, "cancel")
    assert (ended.status, ended.body["returned_fen"], ended.body["visit"]["state"]) == (200, 12_000, "cancelled")
    assert clinic.standing(who)[1:] == (0, 0)
    assert reception.capture(visit_id, "a").code == "visit-over"


def test_LIMIT_a_visits_holds_are_used_by_the_visit_alone(clinic: Clinic, reception: Reception) -> None:
    who = clinic.insured()
    visit_id = reception.opened(who, 10_000)
    before = clinic.line(who)
    for verb, body in (("captures", {"amount_fen": 1}), ("void", None), ("raise", {"amount_fen": 1})):
        assert clinic.act(verb, visit_id, body).code == "hold-of-visit"
    assert clinic.line(who) == before
    assert clinic.send("GET", f"/v1/credit-holds/{visit_id}", HOSPITAL).body["state"] == "open"


def test_a_raise_has_the_terms_of_the_latest_pass_and_ends_with_them(clinic: Clinic, reception: Reception) -> None:
    who = clinic.insured()
    visit_id = reception.opened(who, 1_000)
    (first,) = reception.visit(visit_id).holds
    with clock.fixed(clock.now() + timedelta(days=2)):
        reception.raised(visit_id, [100])
        assert reception.visit(visit_id).holds[-1].expires_at == first.expires_at
        again = {"amount_fen": 100, "pass_code": reception.show(who)}
        assert reception.act(visit_id, "raise", again).status == 201
        reception.raised(visit_id, [100])
        *_, shown, last = reception.visit(visit_id).holds
        assert first.expires_at < shown.expires_at == last.expires_at


def test_LIMIT_a_visit_is_raised_without_a_pass_though_its_first_hold_is_used_up(
    clinic: Clinic, reception: Reception
) -> None:
    who = clinic.insured()
    visit_id = reception.opened(who, 1_000)
    reception.enter(visit_id, "a", 1_000, 0)
    assert reception.capture(visit_id, "a").body["held_fen"] == 0
    reception.raised(visit_id, [500])
    assert clinic.standing(who)[1:] == (1_000, 500)


def test_LIMIT_a_visit_has_so_many_holds_and_no_more(clinic: Clinic, reception: Reception) -> None:
    who = clinic.insured()
    visit_id = reception.opened(who, 10)
    reception.raised(visit_id, [10] * 19)
    assert reception.act(visit_id, "raise", {"amount_fen": 10}).code == "visit-holds-full"
    reception.enter(visit_id, "a", 195, 0)
    assert reception.capture(visit_id, "a").body["captured_fen"] == 195
    assert reception.settle(visit_id).body["returned_fen"] == 5
    assert clinic.standing(who)[1:] == (195, 0)


def test_a_payer_finds_what_was_done_among_his_own(clinic: Clinic, reception: Reception) -> None:
    who = clinic.insured()
    visit_id = reception.opened(who, 100)
    reception.enter(visit_id, "a", 50, 0)
    reception.capture(visit_id, "a")
    reception.refund(visit_id, "a", 10)
    reception.settle(visit_id)
    looks = clinic.world.get("/v1/me/looks?limit=5", f"citizen:{who}")["items"]
    wanted = [f"{verb}:xiamen/{SCENARIO}" for verb in ("settle-visit", "refund-charge", "capture", "hold")]
    assert [look["purpose"] for look in looks][:4] == wanted
    assert all(SCENARIO in look["words"]["zh"] and SCENARIO in look["words"]["en"] for look in looks[:4])


def test_LEDGER_an_items_charge_is_given_back_by_its_visit_alone(clinic: Clinic, reception: Reception) -> None:
    who = clinic.insured()
    visit_id = reception.opened(who, 100)
    reception.enter(visit_id, "a", 50, 0)
    reception.capture(visit_id, "a")
    (charge_id,) = reception.visit(visit_id).items[0].charge_ids
    body = {"charge_id": charge_id, "amount_fen": 10}
    assert clinic.act("refunds", visit_id, body).code == "charge-unknown"
    assert reception.refund(visit_id, "a", 50).status == 201
