"""What the state machines of medical credit share: every request that was ever made, each through faults of its own.

Servers whose clocks disagree answer them; requests and answers are lost on the way, transactions meet others, and every
request may come again at any time, as it was or with another body. Whatever comes back, and whatever was written, has
to be what the model wants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from pynamodb.transactions import TransactWrite

from tests.integration.core.faults import CONFLICT, FAILED, Fault, cancelled, lost_after, lost_before
from tests.property.medical.line_requests import altered
from tests.property.medical.line_ward import CLOSING, OPENING, Ward
from tests.property.offers.deal_requests import Request

T = TypeVar("T")
DAY = 86_400
STEPS = [20, 1, 119, 120, 3_600, DAY, 2 * DAY, 5 * DAY]
SKEWS = [0, 0, 0, -20, -3, 3, 20]
STEP_COUNT = 30

CHANGED = cancelled(FAILED)
some_faults = st.lists(
    st.sampled_from([None, lost_before, lost_after, cancelled(CONFLICT), CHANGED]), min_size=1, max_size=2
)  # fmt: skip
faults: st.SearchStrategy[list[Any]] = st.one_of(st.just([]), st.just([]), st.just([]), some_faults)


class Asking(RuleBasedStateMachine):
    """A ward, its model, and every request that was ever made."""

    ward: ClassVar[Ward]
    often: ClassVar[Mapping[str, int]]
    looked_at_after: ClassVar[frozenset[str]] = frozenset()
    """Requests of which the model has to be told at once what the product alone decides: a shard, an id."""

    def __init__(self) -> None:
        super().__init__()
        self.now = OPENING
        self.requests: list[Request] = []
        self.changed = True
        self.draw: Any = None

    @rule(data=st.data())
    def something_happens(self, data: st.DataObject) -> None:
        """One rule for all: of many rules, most examples leave half out, and the rest seldom meet."""
        self.draw = data.draw
        possible = [what for what, often in self.often.items() if self.can(what) for _ in range(often)]
        getattr(self, self.any_of(possible))()

    def can(self, what: str) -> bool:
        """Whether there is anything with which this could happen."""
        return bool(self.written()) if what == "ask_something_else_under_the_same_key" else True

    def check(self) -> None:
        """Compares everything that is stored with the model."""
        raise NotImplementedError

    @invariant()
    def what_is_stored_is_what_the_model_says(self) -> None:
        if self.changed and hasattr(self, "model"):
            self.check()
            self.changed = False

    def send(self, request: Request, lost: Sequence[Any]) -> None:
        """Sends a request, the first time or once more: what is refused, done and said is what the model wants."""
        now = self.now + timedelta(seconds=self.any_of(SKEWS))
        answer, writes = self.ward.send(request, now, lost)
        reasons = set() if request.written else request.against(now)
        request.judge(answer, writes, reasons, now, lost)
        self.changed = self.changed or bool(writes)

    def first(self, request: Request, lost: Sequence[Any] | None = None) -> None:
        """A request that was never made before; by its key, on which ids rest, it is the same in every run."""
        self.requests.append(request)
        request.key = f"asked-{len(self.requests):08d}"
        self.send(request, self.draw(faults) if lost is None else lost)
        if request.kind in self.looked_at_after:
            self.what_is_stored_is_what_the_model_says()

    def first_meeting(self, one: Request, other: Request) -> None:
        """Between the look of one at a line and his write, another does something with it, all of it."""

        def meets(_: TransactWrite, write: Any) -> None:
            self.first(other, [])
            write()

        fault: Fault = meets
        self.first(one, [fault])

    def any_of(self, found: Sequence[T]) -> T:
        """One of these."""
        drawn: T = self.draw(st.sampled_from(found))
        return drawn

    def written(self) -> list[Request]:
        """What was asked for with an amount, and was done, the last of it first."""
        amounts = [request for request in reversed(self.requests) if "amount_fen" in (request.body or ())]
        return [request for request in amounts if request.written]

    def ask_again(self) -> None:
        """Any earlier request once more: answered, refused, or never heard of."""
        self.send(self.any_of(self.requests[::-1]), self.draw(faults))
        self.what_is_stored_is_what_the_model_says()

    def ask_something_else_under_the_same_key(self) -> None:
        answer, writes = self.ward.send(altered(self.any_of(self.written())), self.now)
        assert (answer.code, writes) == ("idempotency-key-reused", 0), answer.text

    def wait(self) -> None:
        self.now = min(CLOSING, self.now + timedelta(seconds=self.any_of(STEPS)))


def run(machine: type[Asking], ward: Ward, few: int, many: int) -> None:
    """So many examples; ``many`` where they are drawn anew each time."""
    machine.ward = ward
    examples = few if settings().derandomize else many
    wanted = settings(
        max_examples=examples, stateful_step_count=STEP_COUNT, suppress_health_check=list(HealthCheck)
    )  # fmt: skip
    run_state_machine_as_test(machine, settings=wanted)
