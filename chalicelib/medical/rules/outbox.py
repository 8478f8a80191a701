"""How an instruction comes to an end although answers get lost, come twice, come late, or contradict each other.

    queued ──▶ sent                 an attempt is under way; written before the call, so that no call is forgotten
    sent ──▶ accepted | refused     the bank said so: to the call, by itself, or in its file
    sent ──▶ unknown                no answer, or none that can be read; also once the attempt's lease is over
    unknown ──▶ sent                asked again, by the same id, after a wait that grows; MOST_ATTEMPTS in all
    unknown                         then it waits for the bank's file
    queued | unknown ──▶ accepted | refused     likewise, whenever the bank says so

The first answer ends it. The same answer again changes nothing, in whatever order and however late it comes; another
one is kept as a dispute, for a person to look at, and changes nothing else.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.medical.rules.instructions import BankAnswer, Instruction

LEASE_SECONDS = 60
MOST_ATTEMPTS = 8
FIRST_WAIT_SECONDS = 5
LONGEST_WAIT_SECONDS = 3600
MOST_DISPUTED = 10


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


def answered(seen: Instruction, answer: BankAnswer) -> Instruction:
    """The instruction after an answer of the bank; itself, if that says nothing new."""
    if seen.answer is None:
        return replace(seen, state=answer.state, answer=answer, due_at=None)
    if any(answer.agrees(known) for known in (seen.answer, *seen.disputed)) or len(seen.disputed) >= MOST_DISPUTED:
        return seen
    return replace(seen, disputed=(*seen.disputed, answer))
