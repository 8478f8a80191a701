"""A person's own lines, in whatever city: limit, holds, what is owed, and why nothing can be held."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from chalicelib.core import clock
from tests.integration.medical.clinic import OTHER_BANK, SECOND, Clinic
from tests.integration.medical.debts import at, charged, moved, repay
from tests.world import HOSPITAL, World


def own_lines(clinic: Clinic, who: str) -> list[Any]:
    found = clinic.world.get("/v1/me/credit-lines", f"citizen:{who}")
    assert found["next"] is None
    items: list[Any] = found["items"]
    return items


def test_all_own_lines_with_what_is_held_and_owed(clinic: Clinic, own_world: World) -> None:
    clinic.in_force(clinic.policy(bank_id="other-bank"))
    with moved(at("2027-03-01")):
        who = clinic.patient(693, granted=("bank:demo-bank@xiamen", OTHER_BANK, HOSPITAL, SECOND))
        assert clinic.open(who).status == clinic.open(who, OTHER_BANK).status == 201
        charged(clinic, who, 30_000)
    with moved(at("2027-04-01")):
        first = clinic.hold(who, 8_000, SECOND, visit_ref="B-2")
        second = clinic.hold(who, 5_000, visit_ref="A-1")
        assert clinic.capture(second.body["hold_id"], 1_000).status == 201
    with moved(at("2027-04-15")):
        mine, other = own_lines(clinic, who)
        assert first.status == 201
        assert (mine["city_id"], mine["bank_id"], other["bank_id"]) == ("xiamen", "demo-bank", "other-bank")
        limit_fen = clinic.standing(who)[0]
        assert (mine["limit_fen"], mine["used_fen"], mine["held_fen"]) == (limit_fen, 31_000, 12_000)
        assert (mine["available_fen"], mine["state"], mine["suspended_for"]) == (limit_fen - 43_000, "open", [])
        holds = [(one["hospital_id"], one["visit_ref"], one["left_fen"]) for one in mine["holds"]]
        assert sorted(holds) == [("demo-hospital", "A-1", 4_000), ("second-hospital", "B-2", 8_000)]
        # 30,000 due on 12 April: 15 fen a day for three days.
        assert (mine["owed_fen"], mine["overdue_fen"]) == (31_045, 30_045)
        assert mine["dues"] == [{"due_on": "2027-04-12", "fen": 30_045}, {"due_on": "2027-05-13", "fen": 1_000}]
        assert "18.25 %" in mine["cost"]["en"]
        assert mine["ends_on"] == "2028-02-29"
        assert (other["used_fen"], other["holds"], other["dues"], other["owed_fen"]) == (0, [], [], 0)
    with moved(at("2027-05-02")):
        (mine, _) = own_lines(clinic, who)
        assert (mine["held_fen"], mine["holds"]) == (0, [])


def test_why_nothing_can_be_held(clinic: Clinic) -> None:
    who = clinic.insured()
    person = clinic.world.client.people[who]
    assert clinic.move(who, "suspend").status == 200
    (line,) = own_lines(clinic, who)
    assert (line["state"], line["available_fen"]) == ("suspended", 0)
    assert [one["code"] for one in line["suspended_for"]] == ["bank"]
    path = f"/v1/cities/xiamen/subjects/{person['subject_id']}/suspensions"
    reason = {"zh": "停", "en": "stop"}
    assert clinic.world.post(path, "city:xiamen", {"kind": "all_benefits", "reason": reason}).status == 200
    assert clinic.world.post(path, "city:xiamen", {"kind": "pay_later_parking", "reason": reason}).status == 200
    assert clinic.move(who, "resume").status == 200
    (line,) = own_lines(clinic, who)
    assert [one["code"] for one in line["suspended_for"]] == ["all_benefits"]
    assert line["state"] == "suspended"
    assert clinic.world.post(f"{path}/all_benefits/lift", "city:xiamen").status == 200
    (line,) = own_lines(clinic, who)
    assert (line["state"], line["suspended_for"]) == ("open", [])
    with clock.fixed(clock.now() + timedelta(days=365)):
        (line,) = own_lines(clinic, who)
        assert (line["state"], line["available_fen"]) == ("open", 0)
    assert clinic.move(who, "close").status == 200
    (line,) = own_lines(clinic, who)
    assert (line["state"], line["suspended_for"], line["available_fen"]) == ("closed", [], 0)


def test_MINIMAL_a_visitors_line_is_his_own_alone(clinic: Clinic) -> None:
    who = clinic.insured(705, "hangzhou")
    charged(clinic, who, 2_000)
    (line,) = own_lines(clinic, who)
    assert (line["city_id"], line["owed_fen"]) == ("xiamen", 2_000)
    assert clinic.world.get("/v1/me/credit-lines/xiamen/demo-bank/bill", f"citizen:{who}")["payoff_fen"] == 2_000
    assert own_lines(clinic, clinic.patient()) == []
    assert repay(clinic, who, 2_000).body["owed_fen"] == 0
