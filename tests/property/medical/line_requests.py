"""What is asked of lines: the request, when it must be refused, what it changes, and what its answer must say."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from tests.property.medical import line_model as model
from tests.property.medical.line_model import PASS_LIFE, Model, Person, Placed
from tests.property.offers.deal_requests import Request
from tests.world import BANK


def opening(town: Model, who: Person, known_as: str) -> Request:
    """The bank opens somebody's line."""

    def told(said: Any) -> None:
        assert said["limit_fen"] >= said["available_fen"] >= 0

    return Request(
        "open", BANK, "/v1/credit-lines", {"subject_id": known_as}, lambda at: town.open_line(who, at),
        lambda _: town.against_opening(who), told,
    )  # fmt: skip


def moving(who: Person, verb: str, known_as: str) -> Request:
    """The bank suspends, resumes or closes somebody's line."""

    def against(_: datetime) -> set[str]:
        return {"credit-line-closed"} if who.lent.closed else set()

    path = f"/v1/credit-lines/{known_as}/moves"
    return Request(verb, BANK, path, {"move": verb}, lambda at: model.move(who.lent, verb, at), against)


def placing(who: Person, hospital: str, amount_fen: int, pass_code: str, shown: datetime) -> Request:
    """A hospital sets an amount aside by the pass that somebody shows."""

    def against(at: datetime) -> set[str]:
        late = {"pass-expired"} if at >= shown + PASS_LIFE else set()
        return late | model.against_placing(who, amount_fen, at)

    body = {"bank_id": "demo-bank", "visit_ref": "V-1", "amount_fen": amount_fen, "pass_code": pass_code}
    return replace(_holding(who, hospital, amount_fen, "/v1/credit-holds", body, None), kind="place", against=against)


def raising(who: Person, hold: Placed, amount_fen: int) -> Request:
    """Its hospital sets more aside for the visit of a hold."""
    path, body = f"/v1/credit-holds/{hold.hold_id}/raise", {"amount_fen": amount_fen}
    against = partial(model.against_raising, who, hold, amount_fen)
    return replace(_holding(who, hold.hospital, amount_fen, path, body, hold), kind="raise", against=against)


def _holding(
    who: Person, hospital: str, amount_fen: int, path: str, body: Any, follows: Placed | None
) -> Request:  # fmt: skip
    made: list[Placed] = []

    def done(at: datetime) -> None:
        made.append(model.place(who, hospital, amount_fen, at, None if follows is None else follows.until))

    def told(said: Any) -> None:
        (hold,) = made
        hold.hold_id = said["hold_id"]
        assert (said["amount_fen"], said["captured_fen"]) == (amount_fen, 0)
        assert datetime.fromisoformat(said["expires_at"]) == hold.until

    return Request("hold", hospital, path, body, done, told=told)


def capturing(who: Person, hold: Placed, amount_fen: int, *, final: bool) -> Request:
    """Its hospital captures some of a hold."""
    body = {"amount_fen": amount_fen, "final": final}
    return _stepping(who, hold, "captures", amount_fen, body, final=final)


def voiding(who: Person, hold: Placed) -> Request:
    """Its hospital gives a hold up."""
    return _stepping(who, hold, "void", 0, None, final=False)


def _stepping(who: Person, hold: Placed, verb: str, amount_fen: int, body: Any, *, final: bool) -> Request:
    returned: list[int] = []

    def done(at: datetime) -> None:
        model.step(who.lent, hold, amount_fen, at, final=final, voids=verb == "void")
        returned.append(hold.left_fen if hold.ended else 0)

    def told(said: Any) -> None:
        assert (said["captured_fen"], said["returned_fen"]) == (amount_fen, *returned)

    path, against = f"/v1/credit-holds/{hold.hold_id}/{verb}", partial(model.against_step, who.lent, hold, amount_fen)
    return Request(verb, hold.hospital, path, body, done, against, told)


def altered(request: Request) -> Request:
    """Something else under the same key."""
    return replace(request, body={**request.body, "amount_fen": request.body["amount_fen"] + 1})
