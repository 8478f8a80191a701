"""Whether what clients saw of one object can be told as one thing after another: Wing and Gong's search with a memory.

A history is linearizable if every operation can be given an instant between its invocation and its response so that,
done in that order by a sequential model, each answers what it did answer. An operation of which nobody knows what came
of it may have happened, up to when it can have happened at the latest, or not at all.

Source: J. Wing and C. Gong, Testing and Verifying Concurrent Objects, JPDC 17 (1993), for the search; G. Lowe, Testing
for Linearizability, CCPE 29 (2017), for remembering which operations in whatever order have led to which state.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

MOST_STEPS = 400_000


class Operation(Protocol):
    """Something asked for: when, until when it can have happened, and whether anybody knows what came of it."""

    @property
    def began(self) -> float: ...

    @property
    def ended(self) -> float: ...

    @property
    def known(self) -> bool: ...


O = TypeVar("O", bound=Operation)  # noqa: E741 - an operation
S = TypeVar("S", bound=Hashable)
After = Callable[[S, O], Iterable[S]]
"""The states in which an operation can leave a state, answering what it did; none: it cannot have come then."""


@dataclass(frozen=True, slots=True)
class Stuck(Generic[S, O]):
    """As far as any order leads: how many operations it has, the state after them, and what could come next there."""

    placed: int
    state: S
    next: tuple[O, ...]


def stuck(history: Sequence[O], start: S, after: After[S, O]) -> Stuck[S, O] | None:
    """None if the history is linearizable; otherwise how far the best order leads."""
    return _Search(sorted(history, key=lambda operation: operation.began), after).run(start)


class _Search(Generic[S, O]):
    """Depth first. A set of operations is a number whose bits are the operations, by when they began."""

    def __init__(self, operations: Sequence[O], after: After[S, O]) -> None:
        self.operations, self.after = operations, after
        self.needed = sum(1 << place for place, operation in enumerate(operations) if operation.known)

    def run(self, start: S) -> Stuck[S, O] | None:
        """Tries every order that has to be tried."""
        tried, todo, best = {(0, start)}, [(0, start)], (0, start)
        while todo:
            done, state = todo.pop()
            if done & self.needed == self.needed:
                return None
            best = max(best, (done, state), key=lambda found: found[0].bit_count())
            fresh = [found for found in self._steps(done, state) if found not in tried]
            tried.update(fresh)
            assert len(tried) < MOST_STEPS, "the history is too wide to be searched"
            todo.extend(reversed(fresh))
        return Stuck(best[0].bit_count(), best[1], tuple(self.operations[place] for place in self._next(best[0])))

    def _steps(self, done: int, state: S) -> list[tuple[int, S]]:
        """What can come next. What leaves everything as it is can as well come at once: nobody else sees it, unless
        something of which nobody knows could not come after it any more."""
        steps: list[tuple[int, S]] = []
        following = [*self._next(done)]
        unknown = (self.operations[place].ended for place in following if not self.operations[place].known)
        until = min(unknown, default=float("inf"))
        for place in following:
            operation = self.operations[place]
            found = [*self.after(state, operation)]
            if operation.known and operation.began <= until and found and all(left == state for left in found):
                return [(done | 1 << place, state)]
            steps += [(done | 1 << place, left) for left in found]
        return steps

    def _next(self, done: int) -> Iterator[int]:
        """The operations that began before any that is left has ended, if they can still happen."""
        horizon, place = float("inf"), (~done & (done + 1)).bit_length() - 1
        latest = self.operations[done.bit_length() - 1].began if done else float("-inf")
        while place < len(self.operations) and self.operations[place].began <= horizon:
            operation = self.operations[place]
            if not done >> place & 1:
                if operation.known:
                    horizon = min(horizon, operation.ended)
                if operation.known or latest <= operation.ended:
                    yield place
            place += 1
