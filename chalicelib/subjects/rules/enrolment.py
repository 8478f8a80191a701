"""What is asked of the enrolment function and what it answers; the only place where a number passes through."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.subjects.rules.documents import Document


@dataclass(frozen=True, slots=True)
class Application:
    """A person to be enrolled in a city. ``identity_proof`` is what the city's identity service gave out."""

    city_id: str
    document: Document
    identity_proof: str = field(repr=False)
    name: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class IdentifyRequest:
    """What the enrolment function is asked."""

    application: Application
    now: datetime


@dataclass(frozen=True, slots=True)
class Identified:
    """What the enrolment function answers: who it is, and nothing about him."""

    person_id: str


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What a city learns: the id by which it, and nobody else, knows this citizen."""

    subject_id: str
    enrolled_at: datetime
