"""How an instruction comes to an end although answers get lost, come twice, come late, or contradict each other.

    queued ──▶ sent                 an attempt is under way; written before the call, so that no call is forgotten
    sent ──▶ accepted | refused     the bank said so: to the call, by itself, or in its file
    sent ──▶ unknown                no answer, or none that can be read; also once the attempt's lease is over
    unknown ──▶ sent                asked again, by the same id, after a wait that grows up to an hour; for two weeks
    unknown                         then it waits for the bank's file, or to be asked anew
    queued | unknown ──▶ accepted | refused     likewise, whenever the bank says so

    accepted | refused              closed by a person, if the bank contradicted itself or refused what must be done

The first answer ends it. The same answer again changes nothing, in whatever order and however late it comes; another
one is kept as a dispute, for a person to look at, and changes nothing else.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.core.errors import Forbidden, Problem
from chalicelib.core.text import Text
from chalicelib.medical.rules.instructions import BankAnswer, Closing, Instruction

LEASE_SECONDS = 60
# Ten waits up to an hour, and then every hour: two weeks in all, so that an outage of days heals by itself.
MOST_ATTEMPTS = 10 + 14 * 24
FIRST_WAIT_SECONDS = 5
LONGEST_WAIT_SECONDS = 3600
MOST_DISPUTED = 10


class ClosingForbidden(Forbidden):
    code = "instruction-closing-forbidden"
    title = Text("只有该银行的运营人员可以结案", "Only the bank's operators close this")


class NothingToClose(Problem):
    code = "nothing-to-close"
    status = 409
    title = Text(
        "该指令没有待核实的差异，或已结案",
        "This instruction has no difference that waits for somebody, or it is closed already",
    )


def taken_up(seen: Instruction, now: datetime) -> Instruction:
    """The instruction as whoever sends what is due goes on with it: ``sent``, with one attempt more, if it is to be
    asked now; ``unknown``, if it has been asked often enough; itself, if it is not due."""
    if seen.due_at is None or seen.due_at > now:
        return seen
    if seen.attempts >= MOST_ATTEMPTS:
        return replace(seen, state="unknown", due_at=None)
    due_at = now + timedelta(seconds=LEASE_SECONDS)
    return replace(seen, state="sent", attempts=seen.attempts + 1, due_at=due_at)


def unanswered(seen: Instruction, attempt: int, now: datetime) -> Instruction:
    """The instruction after this attempt brought no answer; itself, if it has gone on since."""
    if seen.state != "sent" or seen.attempts != attempt:
        return seen
    again = attempt < MOST_ATTEMPTS
    return replace(seen, state="unknown", due_at=now + timedelta(seconds=wait_seconds(attempt)) if again else None)


def wait_seconds(attempts: int) -> int:
    """How long to wait before asking again after so many attempts (> 0): twice as long each time, up to an hour."""
    assert attempts > 0, "what is asked again was asked"
    return min(FIRST_WAIT_SECONDS << (attempts - 1), LONGEST_WAIT_SECONDS)


def asked_anew(seen: Instruction, now: datetime) -> Instruction:
    """The instruction, due again as after its first attempt, if it was asked for two weeks and nothing is known of it;
    itself otherwise. Its id keeps the bank from doing it twice; ``told_on`` must know that it was asked."""
    if seen.state != "unknown" or seen.due_at is not None:
        return seen
    return replace(seen, attempts=1, due_at=now)


def answered(seen: Instruction, answer: BankAnswer) -> Instruction:
    """The instruction after an answer of the bank; itself, if that says nothing new."""
    if seen.answer is None:
        return replace(seen, state=answer.state, answer=answer, due_at=None)
    if any(answer.agrees(known) for known in (seen.answer, *seen.disputed)):
        return seen
    if len(seen.disputed) >= MOST_DISPUTED:  # no more are kept, but whoever has closed it looks again
        return seen if seen.closed is None else replace(seen, closed=None)
    return replace(seen, disputed=(*seen.disputed, answer))


def waits_for_somebody(seen: Instruction) -> bool:
    """Whether a person has to look: the bank contradicted itself, or refused what had to be done. That it refused to
    collect is no difference: nothing was taken, nothing was booked."""
    wrong = bool(seen.disputed) or (seen.state == "refused" and seen.kind != "collect")
    return wrong and (seen.closed is None or len(seen.disputed) > seen.closed.disputes)


def closed(seen: Instruction, reason: str, now: datetime) -> Instruction:
    """The instruction after somebody has looked. Nothing else of it changes. Raises: NothingToClose."""
    if not waits_for_somebody(seen):
        raise NothingToClose
    return replace(seen, closed=Closing(now, reason, len(seen.disputed)))
