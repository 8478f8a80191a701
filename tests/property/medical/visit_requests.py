"""What is asked of visits and bills: the request, when it is refused, what it changes, what its answer must say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from tests.property.medical import visit_steps as steps
from tests.property.medical.line_model import PASS_LIFE, Placed, Reasons
from tests.property.medical.visit_model import Item, Patient, Town, Visit, on_the_spot, set_aside
from tests.property.medical.visit_steps import Part
from tests.property.offers.deal_requests import Request
from tests.world import BANK

VISITS = "/v1/visits"


def opening_a_line(town: Town, who: Patient, known_as: str) -> Request:
    """The bank opens somebody's line."""

    def told(said: Any) -> None:
        assert said["limit_fen"] >= said["available_fen"] >= 0

    return Request(
        "open", BANK, "/v1/credit-lines", {"subject_id": known_as}, partial(town.open_line, who),
        partial(town.against_opening_at, who), told,
    )  # fmt: skip


def rebooking(town: Town, who: Patient, known_as: str) -> Request:
    """The bank books somebody's line anew for what his score gives."""
    made: list[tuple[int, int]] = []

    def done(at: datetime) -> None:
        town.rebook(who, at)
        made.append((who.bill.limit_fen, who.bill.posted_fen))

    def told(said: Any) -> None:
        assert (said["limit_fen"], said["used_fen"]) == made[0]

    path, body = f"/v1/credit-lines/{known_as}/moves", {"move": "relimit"}
    return Request("relimit", BANK, path, body, done, partial(town.against_rebooking, who), told)


def admitting(
    town: Town, who: Patient, hospital: str, fen: int, shown: tuple[str, datetime, bool], *, emergency: bool
) -> Request:  # fmt: skip
    """A hospital opens a visit by the pass that somebody shows: its code, since when, and whether with his face."""
    code, since, face = shown
    made: list[tuple[Visit, int]] = []

    def against(at: datetime) -> Reasons:
        late = {"pass-expired"} if at >= since + PASS_LIFE else set()
        if emergency:
            return late | town.against_emergency(who, hospital, at, face=face)
        return late | town.against_holding(who, hospital, fen, at)

    def done(at: datetime) -> None:
        held_fen = fen
        if emergency:
            if on_the_spot(who, at):
                town.open_line(who, at)
            held_fen = min(fen, town.bears_fen(who, at))
        hold = set_aside(who, hospital, held_fen, at)
        made.append((Visit(who, hospital, hold.until, [hold], emergency), held_fen))
        town.visits.append(made[0][0])

    def told(said: Any) -> None:
        visit, held_fen = made[0]
        visit.visit_id = said["visit_id"]
        assert (said["held_fen"], said["emergency"], said["state"]) == (held_fen, emergency, "open")
        check_hold(visit.holds[0], said["holds"][0])

    body = {"bank_id": "demo-bank", "visit_ref": "V-7", "estimate_fen": fen, "pass_code": code, "emergency": emergency}
    return Request("visit", hospital, VISITS, body, done, against, told)


def check_hold(hold: Placed, said: Any) -> None:
    """A visit's hold as its hospital is told of it."""
    hold.hold_id = said["hold_id"]
    assert (said["amount_fen"], datetime.fromisoformat(said["expires_at"])) == (hold.amount_fen, hold.until)


def raising(town: Town, visit: Visit, fen: int, shown: tuple[str, datetime] | None) -> Request:
    """More is set aside for a visit, with another pass or without one."""
    made: list[tuple[Placed, int]] = []

    def against(at: datetime) -> Reasons:
        late = {"pass-expired"} if shown is not None and at >= shown[1] + PASS_LIFE else set()
        return late | steps.against_raising(town, visit, fen, at, shown=shown is not None)

    def done(at: datetime) -> None:
        made.append((steps.raise_(visit, fen, at, shown=shown is not None), visit.held_fen(at)))

    def told(said: Any) -> None:
        hold, held_fen = made[0]
        assert said["held_fen"] == held_fen
        check_hold(hold, said["holds"][-1])

    body = {"amount_fen": fen} | ({} if shown is None else {"pass_code": shown[0]})
    return Request("raise", visit.hospital, f"{VISITS}/{visit.visit_id}/raise", body, done, against, told)


def entering(visit: Visit, made: Item) -> Request:
    """An item is entered, with what insurance pays if that is known."""
    insured = {} if made.insurance_fen is None else {"insurance_fen": made.insurance_fen}
    body = {"item_id": made.item_id, "kind": "medicine", "amount_fen": made.amount_fen} | insured
    against = partial(steps.against_entering, visit, made)
    return _item(visit, made.item_id, "", body, lambda _: visit.items.append(made), lambda _: against())


def insuring(visit: Visit, item_id: str, fen: int) -> Request:
    """Insurance settles its part of an item."""

    def done(_: datetime) -> None:
        item = visit.item(item_id)
        assert item is not None
        item.insurance_fen = fen

    against = partial(steps.against_insuring, visit, item_id, fen)
    return _item(visit, item_id, "insurance", {"insurance_fen": fen}, done, lambda _: against())


def withdrawing(visit: Visit, item_id: str) -> Request:
    """An item is taken off."""

    def done(_: datetime) -> None:
        visit.items = [item for item in visit.items if item.item_id != item_id]

    return _item(visit, item_id, "withdraw", None, done, lambda _: steps.against_withdrawing(visit, item_id))


def capturing(visit: Visit, item_id: str) -> Request:
    """The patient's part of an item is captured."""
    return _item(
        visit, item_id, "capture", None, lambda at: steps.capture(visit, item_id, at),
        lambda at: steps.against_capturing(visit, item_id, at),
    )  # fmt: skip


def _item(
    visit: Visit, item_id: str, verb: str, body: Any, do: Callable[[datetime], Any],
    against: Callable[[datetime], Reasons],
) -> Request:  # fmt: skip
    made: list[tuple[int, ...]] = []

    def done(at: datetime) -> None:
        before = visit.who.bill.posted_fen if visit.who.line is not None else 0
        do(at)
        made.append((visit.who.bill.posted_fen - before, visit.held_fen(at), visit.short_fen(at)))

    def told(said: Any) -> None:
        assert (said["captured_fen"], said["held_fen"], said["short_fen"]) == made[0]

    path = f"{VISITS}/{visit.visit_id}/items" + (f"/{item_id}/{verb}" if verb else "")
    return Request(verb or "enter", visit.hospital, path, body, done, against, told)


def refunding(visit: Visit, item_id: str, fen: int) -> Request:
    """A hospital takes an item back, or a part of it."""

    def told(said: Any) -> None:
        assert said["refunded_fen"] == fen

    path, against = f"{VISITS}/{visit.visit_id}/items/{item_id}/refunds", partial(steps.against_refunding, visit)
    return Request(
        "refund", visit.hospital, path, {"amount_fen": fen}, lambda at: steps.refund(visit, item_id, fen, at),
        lambda _: against(item_id, fen), told,
    )  # fmt: skip


def ending(visit: Visit, verb: str) -> Request:
    """A visit is settled, or cancelled."""
    made: list[int] = []

    def told(said: Any) -> None:
        assert (said["returned_fen"], said["visit"]["held_fen"], said["visit"]["state"]) == (made[0], 0, visit.state)

    path, body = f"{VISITS}/{visit.visit_id}/{verb}", {"at": "kiosk"} if verb == "settle" else None
    return Request(
        verb, visit.hospital, path, body, lambda at: made.append(steps.end(visit, verb, at)),
        lambda _: steps.against_ending(visit, verb), told,
    )  # fmt: skip


def past_the_visit(visit: Visit, verb: str) -> Request:
    """A visit's hold is used as if it were one by itself: never."""
    path, body = f"/v1/credit-holds/{visit.visit_id}/{verb}", None if verb == "void" else {"amount_fen": 1}
    return Request(verb, visit.hospital, path, body, _nothing, lambda _: {"hold-of-visit"})


def _nothing(_: datetime) -> None:
    raise AssertionError("it is refused")


def repaying(who: Patient, known_as: str, fen: int) -> Request:
    """The bank notes a payment."""
    done, told = _money(who, lambda at: steps.repay(who.bill, fen, at))
    path, body = f"/v1/credit-lines/{known_as}/repayments", {"amount_fen": fen, "currency": "CNY"}
    return Request("repay", BANK, path, body, done, lambda at: steps.against_repaying(who.bill, fen, at), told)


def writing_off(who: Patient, known_as: str) -> Request:
    """The bank writes off what is owed."""
    done, told = _money(who, lambda at: steps.write_off(who.bill, at))
    path = f"/v1/credit-lines/{known_as}/write-off"
    return Request("write-off", BANK, path, None, done, lambda at: steps.against_writing_off(who.bill, at), told)


def _money(
    who: Patient, do: Callable[[datetime], Sequence[Part]]
) -> tuple[Callable[[datetime], None], Callable[[Any], None]]:  # fmt: skip
    made: list[tuple[Sequence[Part], int, int]] = []

    def done(at: datetime) -> None:
        parts = do(at)
        made.append((parts, who.bill.owed_fen(who.bill.day(at)), who.bill.posted_fen))

    def told(said: Any) -> None:
        parts, owed_fen, posted_fen = made[0]
        assert (said["owed_fen"], said["used_fen"]) == (owed_fen, posted_fen)
        wanted = [
            {"charge_id": part.charge.charge_id, "principal_fen": part.principal_fen, "fee_fen": 0}
            | {"interest_fen": part.interest_fen}
            for part in parts
        ]
        assert said["parts"] == wanted

    return done, told


def paying_out(who: Patient, known_as: str, fen: int) -> Request:
    """The bank gives back what it owes."""

    def done(at: datetime) -> None:
        line = who.bill
        line.as_of, line.back_fen = max(at, line.as_of), line.back_fen - fen

    def against(_: datetime) -> Reasons:
        return {"payout-exceeds-credit"} if fen > who.bill.back_fen else set()

    path = f"/v1/credit-lines/{known_as}/payouts"
    return Request("pay-out", BANK, path, {"amount_fen": fen}, done, against)
