"""What people ask of the stall: the request, when it must be refused, what it changes, and what its answer must say."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from tests.in_process import Answer
from tests.integration.core.faults import lost_after, lost_before
from tests.property.offers.deal_model import QUOTE_LIFE, Basket, Dealt, Model, Person, Reasons
from tests.world import FARM

NEVER = datetime.min.replace(tzinfo=UTC)
PASS_LIFE = timedelta(minutes=2)
NOBODY = f"xiamen.{'a' * 26}"
_Against = Callable[[Dealt, datetime], Reasons]
_Change = Callable[[Dealt, datetime], None]
_keys = (f"stall-{number:08d}" for number in itertools.count(1))


def _never(_: datetime) -> Reasons:
    return set()


@dataclass
class Request:
    """What somebody asks for, as often as he likes: under one key, with one body.

    ``against`` says why it must be refused at an instant, ``done`` what it changes in the model once it is written,
    ``told`` what its answer must say.
    """

    kind: str
    actor: str
    path: str
    body: Any
    done: Callable[[datetime], None]
    against: Callable[[datetime], Reasons] = _never
    told: Callable[[Any], None] = lambda _: None
    key: str = field(default_factory=lambda: next(_keys))
    written: bool = False
    text: str | None = None

    def judge(self, answer: Answer, writes: int, reasons: Reasons, now: datetime, lost: Sequence[Any]) -> None:
        """Compares what came back, and whether anything was written, with what the model wants.

        Args:
            reasons: Why it had to be refused at this instant; none for what was written before.
            lost: The faults that it met.
        """
        assert writes <= (not self.written), "ONCE: what was written is not written again"
        if writes:
            assert not reasons, f"{self.kind} should have been refused: {reasons}"
            self.written = True
            self.done(now)
        if answer.status == 503:
            assert {lost_before, lost_after} & set(lost), answer.text
        elif answer.status < 300:
            assert self.written, "what is acknowledged has happened"
            assert answer.replayed == (not writes)
            if self.text is None:
                self.told(answer.body)
                self.text = answer.text
            assert answer.text == self.text, "ONCE: the same request, the same bytes"
        else:
            assert not self.written, f"ONCE: it has happened, and is refused: {answer.text}"
            assert answer.code in reasons, f"{self.kind}: {answer.text}, not one of {reasons}"


def quoting(model: Model, who: Person, asked: Basket, pass_code: str | None, now: datetime) -> Request:
    """Somebody wants a price; by a pass that he shows now, the merchant asks."""
    body: dict[str, Any] = {"lines": [{"offer_id": o, "variant_id": v, "units": n} for o, v, n in asked]}
    made: list[Dealt] = []

    def against(at: datetime) -> Reasons:
        late = pass_code is not None and at >= now + PASS_LIFE
        return model.against_quote(who, asked, at) | ({"pass-expired"} if late else set())

    def done(at: datetime) -> None:
        lapses = min(at + QUOTE_LIFE, who.consent_until)
        made.append(Dealt("", who, model.basket(who, asked, at), lapses, who.barred, pass_code is None))

    def told(said: Any) -> None:
        (deal,) = made
        deal.quote_id = said["deal"]["quote_id"]
        check_prices(deal, said["deal"])
        model.deals.append(deal)

    if pass_code is not None:
        return Request("quote", FARM, "/v1/quotes", body | {"pass_code": pass_code}, done, against, told)
    here = {"city_id": "xiamen", "merchant_id": "qingliu-farm"}
    return Request("quote", f"citizen:{who.name}", "/v1/me/quotes", body | here, done, against, told)


def check_prices(deal: Dealt, said: Any) -> None:
    """REWARD: what is pinned is what the score says, never more than the list price, and somebody bears the rest."""
    for line, told in zip(deal.lines, said["lines"], strict=True):
        assert (told["units"], told["list_fen"], told["payable_fen"]) == (line.units, line.list_fen, line.payable_fen)
        assert told["payable_fen"] <= told["list_fen"]
        line.funding = _funding(told)
        assert sum(line.funding.values()) == line.discount_fen


def _funding(said: Any) -> dict[str, int]:
    parts = {"/".join(filter(None, (part["funder"], part["partner_id"]))): part["fen"] for part in said["funding"]}
    return {name: fen for name, fen in parts.items() if fen}


def stepping(model: Model, deal: Dealt, verb: str, *, himself: bool) -> Request:
    """A deal is reserved, redeemed or given up, by its merchant or by the person himself."""
    ways: dict[str, tuple[_Against, str, _Change]] = {
        "reservation": (model.against_reservation, "reserved", model.reserve),
        "redemption": (model.against_redemption, "redeemed", model.redeem),
        "release": (partial(model.against_release, himself=himself), "released", model.release),
    }
    against, state, change = ways[verb]

    def told(said: Any) -> None:
        assert said["state"] == state
        check_prices(deal, said)

    actor, mine = (f"citizen:{deal.who.name}", "/me") if himself else (FARM, "")
    path = f"/v1{mine}/quotes/{deal.quote_id}/{verb}"
    return Request(verb, actor, path, None, lambda at: change(deal, at), lambda at: against(deal, at), told)


def refunding(model: Model, deal: Dealt, index: int, units: int) -> Request:
    """Units of a line are given back."""
    parts: dict[str, int] = {}

    def done(_: datetime) -> None:
        line = deal.lines[index]
        span = (line.back, line.back + units)
        shares = {name: line.carried(fen, *span) for name, fen in line.funding.items()}
        parts.update({name: fen for name, fen in shares.items() if fen}, paid=line.carried(line.payable_fen, *span))
        line.back += units

    def told(said: Any) -> None:
        assert {**_funding(said), "paid": said["payable_fen"]} == parts

    path, body = f"/v1/quotes/{deal.quote_id}/refunds", {"line": index, "units": units}
    return Request("refund", FARM, path, body, done, lambda _: model.against_refund(deal, index, units), told)


def altered(request: Request) -> Request:
    """Something else under the same key."""
    if request.kind == "refund":
        return replace(request, body={**request.body, "units": request.body["units"] + 1})
    if request.kind == "quote":
        return replace(request, body={**request.body, "lines": [*request.body["lines"], request.body["lines"][0]]})
    return replace(request, path=request.path.replace(request.path.split("/")[-2], NOBODY))


def consenting(person: Person, until: datetime) -> Request:
    """Somebody lets the merchant have decisions, instead of whatever he let it have before."""
    body = {
        "scenario": "xiamen/jimei_produce", "recipient": "merchant:xiamen/qingliu-farm",
        "purpose": {"zh": "算出我的价格", "en": "To work out my price"}, "items": ["decision"],
        "expires_at": f"{until:%Y-%m-%dT%H:%M:%SZ}",
    }  # fmt: skip
    granted: list[Any] = []

    def done(_: datetime) -> None:
        person.consent_until, person.grant_id, person.granted = until, "", granted

    def told(said: Any) -> None:
        if person.granted is granted:
            person.grant_id = said["grant_id"]

    def against(at: datetime) -> Reasons:
        return {"consent-invalid"} if at >= until else set()

    return Request("account", f"citizen:{person.name}", "/v1/me/consents", body, done, against, told)


def withdrawing(person: Person) -> Request:
    """Somebody takes back the consent that he knows of."""
    grant_id = person.grant_id

    def done(_: datetime) -> None:
        if person.grant_id == grant_id:
            person.consent_until = NEVER

    path = f"/v1/me/consents/{grant_id}/withdraw"
    return Request("account", f"citizen:{person.name}", path, None, done)


def barring(person: Person, subject_id: str, *, bars: bool) -> Request:
    """A city suspends what somebody's score gives him, or restores it."""
    body = {"kind": "all_benefits", "reason": {"zh": "停用", "en": "suspended"}} if bars else None
    rest = "suspensions" if bars else "suspensions/all_benefits/lift"

    def done(_: datetime) -> None:
        person.barred = bars

    return Request("account", "city:xiamen", f"/v1/cities/xiamen/subjects/{subject_id}/{rest}", body, done)
