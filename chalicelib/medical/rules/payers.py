"""Who may pay for a visit: the patient by his own line, and for a child, who has no score, a parent or guardian by his.

Source: 民法典 art. 27 (guardians of a minor).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from chalicelib.core.errors import Problem
from chalicelib.core.text import Text


class GuardianNeeded(Problem):
    code = "guardian-needed"
    status = 403
    title = Text("须由已核实的监护人为未成年人付款", "A child's visit is paid by a guardian who has been confirmed")


class PayerNotPatient(Problem):
    code = "payer-not-patient"
    status = 403
    title = Text("成年人就诊只能使用本人的额度", "An adult's visit is paid by the patient's own line")


@dataclass(frozen=True, slots=True)
class Guardianship:
    """That one person is the guardian of another, as the city confirmed it: up to, without, the child's majority."""

    guardian: str
    child: str
    valid_to: date


def payer_of(patient: str, payer: str, *, minor: bool, guardianship: Guardianship | None, on: date) -> str:
    """The payer, if he may pay for this patient on this day.

    Raises: GuardianNeeded: the patient is a child; PayerNotPatient: he is none.
    """
    if not minor:
        if payer != patient:
            raise PayerNotPatient
        return payer
    if guardianship is None or on >= guardianship.valid_to:
        raise GuardianNeeded
    if (guardianship.guardian, guardianship.child) != (payer, patient):
        raise GuardianNeeded
    return payer
