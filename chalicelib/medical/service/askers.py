"""Whose bill is asked for, and by whom: the bank whose line it is, or the person himself."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.core.auth import Caller
from chalicelib.core.errors import NotFound
from chalicelib.medical.rules.bills import Whose
from chalicelib.medical.service.grounds import bank_of
from chalicelib.subjects import service as subjects
from chalicelib.subjects.rules import AccountRef


@dataclass(frozen=True, slots=True)
class Asker:
    """A line, and who asks about it. ``own``: the person himself, who sees visits and items."""

    city_id: str
    bank_id: str
    ref: AccountRef
    whose: Whose
    own: bool

    @property
    def of(self) -> tuple[str, str, str]:
        """The line: city, person, bank."""
        return self.city_id, self.ref.person_id, self.bank_id


def as_bank(caller: Caller, subject_id: str) -> Asker:
    """A bank asks about somebody by the id it knows. Raises: NotFound: it knows nobody by it."""
    ref = subjects.resolve(caller, subject_id, NotFound)
    city_id, bank_id = bank_of(caller)
    return Asker(city_id, bank_id, ref, Whose(subject_id, city_id, bank_id), own=False)


def as_owner(caller: Caller, city_id: str, bank_id: str) -> Asker:
    """A person asks about himself. Raises: NotFound: the token names nobody of its city."""
    ref = subjects.own_account(caller)
    return Asker(city_id, bank_id, ref, Whose(caller.tenant, city_id, bank_id), own=True)
