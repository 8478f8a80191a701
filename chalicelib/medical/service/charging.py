"""What a capture makes: a charge on the patient's bill, and the entry by which the bank owes it to the hospital."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from chalicelib.cities.rules import Control
from chalicelib.core import clock
from chalicelib.core.commit import Unit
from chalicelib.ledger.rules import Entry, Party
from chalicelib.ledger.rules.holds import Step
from chalicelib.medical import store
from chalicelib.medical.rules import charge_of
from chalicelib.medical.rules.credit import CreditHold, CreditLine, with_events
from chalicelib.medical.rules.events import numbered
from chalicelib.medical.rules.posting import capture_postings
from chalicelib.subjects import service as subjects


class Taken(NamedTuple):
    """What was captured of one hold, the hold as it is then, and for which item of which visit (an empty one: no item
    was named)."""

    held: CreditHold
    step: Step
    visit_ref: str
    item_id: str = ""


def _charge(unit: Unit, control: Control, credit: CreditLine, taken: Taken, charge_id: str) -> None:
    """Puts what was captured on the bill, with the terms of the policy under which its hold was placed."""
    held, step = taken.held, taken.step
    policy = store.load_version(held.city_id, held.bank_id, held.policy_version)
    made = charge_of(
        policy, clock.day_in(control.time_zone, step.line.as_of), step.captured_fen, charge_id=charge_id,
        hospital_id=held.hospital_id, visit_id=taken.visit_ref, item_id=taken.item_id,
    )  # fmt: skip
    store.append_event(unit, credit, step.line.version, made)


def charge_all(
    unit: Unit, control: Control, credit: CreditLine, taken: Sequence[Taken], effect_id: str, purpose: str
) -> Entry:
    """Puts what one request captured on the bill, a charge for each hold, and writes holds and line as they are then.

    Args:
        credit: The line as it was read, from which the steps were taken one after the other.

    Returns: its one entry, which the caller gives to the effect.
    """
    for place, one in enumerate(taken):
        _charge(unit, control, credit, one, numbered(effect_id, place))
        store.save_hold(unit, one.held)
    last = taken[-1]
    store.save_line(unit, credit, with_events(credit, last.step.line, len(taken)))
    hospital = Party(last.held.city_id, "hospital", last.held.hospital_id)
    amount_fen, at = sum(one.step.captured_fen for one in taken), last.step.line.as_of
    postings = capture_postings(hospital, bank_party(credit), known_to_bank(credit), amount_fen)
    day = clock.day_in(control.time_zone, at)
    return Entry(effect_id, at, day, purpose, hospital.name, postings)


def bank_party(credit: CreditLine) -> Party:
    """The bank of a line, as the ledger names it."""
    return Party(credit.city_id, "bank", credit.bank_id)


def known_to_bank(credit: CreditLine) -> str:
    """The id by which the bank of a line knows its person."""
    return subjects.known_as(f"bank:{credit.city_id}/{credit.bank_id}", credit.ref)
