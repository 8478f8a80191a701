"""LIMIT, LEDGER, ONCE, CONSENT and REWARD of deals: people, a merchant and a city do whatever they like, in any order.

Servers whose clocks disagree answer them; requests and answers are lost on the way, transactions meet others, and every
request may come again at any time, as it was or with another body. After each step everything stored is compared with
a model that is too plain to be wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from chalicelib.core import clock
from chalicelib.offers.rules import Offer, Quota, Share
from tests.integration.core.faults import CONFLICT, cancelled, lost_after, lost_before
from tests.integration.offers.market import TEA, TOFU
from tests.property.offers.deal_checks import check
from tests.property.offers.deal_model import Dealt, Phase, Shelved
from tests.property.offers.deal_requests import (
    Request,
    altered,
    barring,
    consenting,
    quoting,
    refunding,
    stepping,
    withdrawing,
)
from tests.property.offers.stall import CLOSING, CONSENT_DAYS, OPENING, Stall, caps_of, stall
from tests.world import FARM

FUNDING = {
    "one": (Share("merchant", 5000), Share("city", 3000), Share("bank", 2000, "demo-bank")),
    "two": (Share("platform", 3333), Share("merchant", 6667)),
}
T = TypeVar("T")
VERBS = ["reservation", "redemption"]
FIT = {
    "reservation": {"open"},
    "release": {"open", "reserved"},
    "redemption": {"open", "reserved"},
    "refund": {"redeemed"},
}
SCORES = [300, 520, 612, 693]
STEPS = [1, 7, 30, 120, 300, 580, 600, 7, 120, 901, 3600, 5 * 3600, 86_400, 7 * 86_400, 32 * 86_400]
CONSENT_MINUTES = [10, 20, 24 * 60, CONSENT_DAYS * 24 * 60]
MOVES: dict[Phase, list[str]] = {
    "live": ["renew", "renew", "pause", "stop"],
    "paused": ["resume", "resume", "stop"],
    "stopped": ["lift"],
}
PHASES: dict[str, Phase] = {"stop": "stopped", "lift": "paused", "pause": "paused", "resume": "live"}

# How often each of them happens, where it can.
OFTEN = {
    "quote": 5, "buy": 2, "reserve": 2, "redeem": 4, "release": 1, "refund": 2, "try_anything": 1, "ask_again": 2,
    "ask_something_else_under_the_same_key": 1, "rehearse": 1, "change_somebody": 3, "change_an_offer": 2, "wait": 3,
}  # fmt: skip
NEEDS = {
    "reserve": "reservation",
    "redeem": "redemption",
    "release": "release",
    "refund": "refund",
    "rehearse": "release",
}

skews = st.sampled_from([0, 0, 0, -20, -3, 3, 20]).map(lambda seconds: timedelta(seconds=seconds))
some_faults = st.lists(
    st.sampled_from([None, lost_before, lost_after, cancelled(CONFLICT)]), min_size=1, max_size=3
)  # fmt: skip
faults: st.SearchStrategy[list[Any]] = st.one_of(st.just([]), st.just([]), st.just([]), some_faults)
few = st.one_of(st.none(), st.integers(3, 9))
names = st.sampled_from(["one", "one", "two"])
goods = st.tuples(names, st.sampled_from([TOFU, TOFU, TEA]), st.sampled_from([1, 1, 2, 3]))
baskets = st.lists(goods, min_size=1, max_size=2, unique_by=lambda line: line[:2])
terms = st.fixed_dictionaries(
    {
        "stock": st.sampled_from([1, 2, 2, 3, 3, 5, 9]),
        "budget_fen": st.one_of(st.none(), st.integers(6_000, 40_000)),
        "quota": st.one_of(st.just(Quota()), st.builds(Quota, few, few, few, few)),
        "reservation_seconds": st.sampled_from([600, 601, 3600, 90_000, 600, 3600, None]),
        "on_refund": st.sampled_from(["restore", "burn"]),
    }
)


class Deals(RuleBasedStateMachine):
    """The stall, the model, and every request that was ever made."""

    stall: ClassVar[Stall]

    def __init__(self) -> None:
        super().__init__()
        self.now = self.fastest = OPENING
        self.requests: list[Request] = []
        self.changed = True
        self.draw: Any = None

    @initialize(one=terms, two=terms)
    def open_the_stall(self, one: dict[str, Any], two: dict[str, Any]) -> None:
        wanted = zip(("one", "two"), (one, two), strict=True)
        self.model = self.stall.begin([self.offer(name, FUNDING[name], **changes) for name, changes in wanted])

    @rule(data=st.data())
    def something_happens(self, data: st.DataObject) -> None:
        """One rule for all: of many rules, most examples leave half out, and the rest seldom meet."""
        self.draw = data.draw
        possible = [what for what, often in OFTEN.items() if self.can(what) for _ in range(often)]
        getattr(self, self.draw(st.sampled_from(possible), "what"))()

    def can(self, what: str) -> bool:
        if what in NEEDS:
            return bool(self.fit(NEEDS[what]))
        if what == "ask_something_else_under_the_same_key":
            return bool(self.written())
        return bool(self.model.deals) if what == "try_anything" else bool(self.requests) or what != "ask_again"

    def offer(self, name: str, funding: tuple[Share, ...], **changes: Any) -> Offer:
        made = self.stall.market.offer(name, **changes)
        return replace(made, funding=funding, valid_from=OPENING - timedelta(days=1), valid_to=CLOSING)

    def send(self, request: Request, skew: timedelta, lost: list[Any]) -> None:
        """Sends a request, the first time or once more: what is refused, done and said is what the model wants."""
        now = self.now + skew
        self.fastest = max(self.fastest, now)
        reasons = set() if request.written else request.against(now)
        answer, writes = self.stall.send(request, now, lost)
        request.judge(answer, writes, reasons, now, lost)
        self.changed = self.changed or bool(writes)

    def first(self, request: Request) -> None:
        """A request that was never made before."""
        self.requests.append(request)
        skew = timedelta() if request.kind == "account" else self.draw(skews)
        self.send(request, skew, self.draw(faults))

    def fit(self, verb: str) -> list[Dealt]:
        """The deals that stand where this can be done, the last ones first."""
        return [deal for deal in reversed(self.model.deals) if deal.state in FIT[verb]]

    def written(self) -> list[Request]:
        return [request for request in reversed(self.requests) if request.written and request.kind != "account"]

    def any_of(self, found: Sequence[T]) -> T:
        drawn: T = self.draw(st.sampled_from(found))
        return drawn

    def quote(self) -> None:
        person, by_pass = self.any_of(self.model.people), self.any_of([False, False, True])
        with clock.fixed(self.now):
            pass_code = self.stall.world.show(person.name, FARM) if by_pass else None
        self.first(quoting(self.model, person, self.draw(baskets), pass_code, self.now))

    def buy(self) -> None:
        """A quote, and what mostly follows it."""
        before = len(self.model.deals)
        self.first(quoting(self.model, self.any_of(self.model.people), self.draw(baskets), None, self.now))
        if len(self.model.deals) > before:
            self.go_on(self.model.deals[-1], self.any_of(VERBS))

    def go_on(self, deal: Dealt, verb: str) -> None:
        """The merchant takes a deal one step further, or the person himself does what he may."""
        himself = verb != "redemption" and self.draw(st.booleans())
        self.first(stepping(self.model, deal, verb, himself=himself))

    def reserve(self) -> None:
        self.go_on(self.any_of(self.fit("reservation")), "reservation")

    def redeem(self) -> None:
        self.go_on(self.any_of(self.fit("redemption")), "redemption")

    def release(self) -> None:
        self.go_on(self.any_of(self.fit("release")), "release")

    def refund(self) -> None:
        line, units = self.any_of([0, 0, 0, 1, 2]), self.any_of([1, 1, 2, 3])
        self.first(refunding(self.model, self.any_of(self.fit("refund")), line, units))

    def try_anything(self) -> None:
        """A step of any deal, wherever it stands."""
        deal, verb = self.any_of(self.model.deals), self.any_of([*VERBS, "release", "refund"])
        if verb == "refund":
            self.first(refunding(self.model, deal, 0, 1))
        else:
            self.go_on(deal, verb)

    def ask_again(self) -> None:
        """Any earlier request once more: answered, refused, or never heard of."""
        request = self.any_of(self.requests[::-1])
        self.send(request, timedelta() if request.kind == "account" else self.draw(skews), self.draw(faults))

    def ask_something_else_under_the_same_key(self) -> None:
        answer, writes = self.stall.send(altered(self.any_of(self.written())), self.now + self.draw(skews))
        assert (answer.code, writes) == ("idempotency-key-reused", 0), answer.text

    def rehearse(self) -> None:
        """A dry run says what would come of it, and nothing does."""
        asked = stepping(self.model, self.any_of(self.fit("release")), self.any_of(VERBS), himself=False)
        now = self.now + self.draw(skews)
        reasons = asked.against(now)
        answer, writes = self.stall.send(replace(asked, path=f"{asked.path}?dry_run=true"), now)
        assert writes == 0
        assert answer.code in reasons if reasons else answer.status == 200, answer.text

    def change_somebody(self) -> None:
        """Somebody consents or takes that back; his city suspends what his score gives, restores it, scores anew."""
        lost = [person for person in self.model.people if not person.consents(self.now)]
        buying = [deal.who for deal in self.fit("redemption")]
        person = self.any_of(lost or buying or self.model.people)
        change = "consent" if lost else self.any_of(["withdraw", "bar", "bar", "consent", "rescore"])
        if change == "consent":
            self.first(consenting(person, self.now + timedelta(minutes=self.any_of(CONSENT_MINUTES))))
        elif change == "withdraw" and person.grant_id:
            self.first(withdrawing(person))
        elif change == "bar":
            subject_id = self.stall.world.client.people[person.name]["subject_id"]
            self.first(barring(person, subject_id, bars=not person.barred))
        elif change == "rescore":
            person.score = self.any_of(SCORES)
            with clock.fixed(self.now):
                self.stall.world.rescore(person.name, person.score)

    def change_an_offer(self) -> None:
        """The city stops an offer and lifts that; the merchant pauses it, resumes it, or releases its next version."""
        shelves = list(self.model.shelf.values())
        shelved = self.any_of([shelved for shelved in shelves if shelved.phase != "live"] or shelves)
        move = self.any_of(MOVES[shelved.phase])
        self.changed = True
        with clock.fixed(self.now):
            if move == "renew":
                self.renew(shelved, self.draw(terms))
            else:
                self.stall.desk.moved(shelved.offer, shelved.offer.version, move)
                shelved.phase = PHASES[move]

    def renew(self, shelved: Shelved, wanted: dict[str, Any]) -> None:
        """Other terms, and other caps, which are never below what was given."""
        last, desk = shelved.offer, self.stall.desk
        budget_fen = None if last.budget_fen is None else wanted["budget_fen"] or 9_000
        offer = self.offer(last.offer_id, last.funding, **{**wanted, "budget_fen": budget_fen})
        used = {slot: cap - self.model.free(slot, self.now) for slot, cap in shelved.caps.items()}
        version = desk.drafted(offer)
        desk.moved(offer, version, "submit", "approve")
        answer = desk.move(offer, version, "schedule")
        if any(used[slot] > cap for slot, cap in caps_of(offer).items()):
            assert answer.code == "cap-below-use", answer.text
            desk.moved(offer, version, "end")
        else:
            assert answer.status == 200, answer.text
            shelved.offer, shelved.caps = replace(offer, version=version), caps_of(offer)

    def wait(self) -> None:
        seconds = self.any_of(STEPS)
        if self.now + timedelta(seconds=seconds) < CLOSING - timedelta(days=1):
            self.now += timedelta(seconds=seconds)
            self.fastest = max(self.fastest, self.now)

    @invariant()
    def what_is_stored_is_what_the_model_says(self) -> None:
        if self.changed and hasattr(self, "model"):
            check(self.stall, self.model, self.now, self.fastest)
            self.changed = False


@pytest.fixture(scope="module")
def opened() -> Iterator[Stall]:
    with stall() as made:
        yield made


def test_LIMIT_LEDGER_ONCE_CONSENT_REWARD_of_deals_in_any_order(opened: Stall) -> None:
    Deals.stall = opened
    examples = 40 if settings().derandomize else 100
    wanted = settings(max_examples=examples, stateful_step_count=40, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Deals, settings=wanted)
