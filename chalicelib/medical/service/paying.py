"""Who pays for a visit: whoever shows the pass, for himself, or for a child whose guardian he is by his city's word."""

from __future__ import annotations

from typing import NamedTuple

from chalicelib.core.auth import Caller
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict
from chalicelib.core.table import Key
from chalicelib.medical.rules import Guardianship, payer_of
from chalicelib.medical.service.grounds import Ground
from chalicelib.subjects import service as subjects
from chalicelib.subjects import store as accounts
from chalicelib.subjects.rules import AccountRef


class Paying(NamedTuple):
    """Ids by which a hospital knows a patient and whoever pays for him."""

    patient: str
    payer: str


def ward_keys(ref: AccountRef, ward_id: str | None) -> list[Key]:
    """What has to be read of a child, if the visit is one's."""
    return [] if ward_id is None else [accounts.ward_key(ref, ward_id)]


def paying(
    unit: Unit, caller: Caller, ground: Ground, ref: AccountRef, ward_id: str | None, patient_id: str | None
) -> Paying:
    """Who pays for whom, on condition that a guardianship has not ended meanwhile.

    Args:
        ref: Whoever pays.
        ward_id: The child for whom he does; None for himself.
        patient_id: Whom the hospital means; None: whoever it is.

    Raises: GuardianNeeded: the patient is a child, and he is not its guardian today; PayerNotPatient.
    """
    payer = subjects.known_as(caller.sector, ref)
    if ward_id is None:
        patient = patient_id or payer
        minor = subjects.names_ward(caller, patient)
        return Paying(patient, payer_of(patient, payer, minor=minor, guardianship=None, on=ground.today))
    child = subjects.known_as(caller.sector, AccountRef(ref.city_id, ward_id))
    patient, given = patient_id or child, None
    ward = accounts.ward_in(ground.rows, accounts.ward_key(ref, ward_id))
    if ward is not None and ward.ended_at is None:
        accounts.check_ward(unit, ward, Conflict)
        given = Guardianship(payer, child, ward.valid_to)
    return Paying(patient, payer_of(patient, payer, minor=True, guardianship=given, on=ground.today))
