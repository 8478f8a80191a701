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

    ref: AccountRef
    whose: Whose
    own: bool

    @property
    def of(self) -> tuple[str, str, str]:
        """The line: city, person, bank."""
        return self.whose.city_id, self.ref.person_id, self.whose.bank_id


def as_bank(caller: Caller, subject_id: str) -> Asker:
    """A bank asks about somebody by the id it knows. Raises: NotFound: it knows nobody by it."""
    ref = subjects.resolve(caller, subject_id, NotFound)
    return Asker(ref, Whose(subject_id, *bank_of(caller)), own=False)


def as_owner(caller: Caller, city_id: str, bank_id: str) -> Asker:
    """A person asks about himself. Raises: NotFound: the token names nobody of its city."""
    ref = subjects.own_account(caller)
    return Asker(ref, Whose(caller.tenant, city_id, bank_id), own=True)
