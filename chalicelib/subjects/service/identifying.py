"""The enrolment function: from a document to a person, in a process of its own with a key of its own.

It alone may compute the digest by which the index is kept. It has no sealing key, so it makes no effects and no
pairwise ids; it answers with the person's id and forgets the rest.
"""

from __future__ import annotations

from typing import Any

from chalicelib.cities.rules import require_active
from chalicelib.cities.store import control_in, control_key
from chalicelib.core import clock, codec, functions, ids, table
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict
from chalicelib.core.table import Key
from chalicelib.subjects.rules import (
    Identified,
    IdentifyRequest,
    IdentityUnconfirmed,
    check_document,
    require_adult,
)
from chalicelib.subjects.service.identity import identity_service
from chalicelib.subjects.store import create_person, index_key, person_in


@functions.function("enrol")
def enrol(payload: dict[str, Any]) -> Identified:
    """What the enrolment function does with its payload, an ``IdentifyRequest``."""
    return identify(codec.build(IdentifyRequest, payload))


def identify(request: IdentifyRequest) -> Identified:
    """The person of an application, known already or new. Nothing is written of anybody who is refused.

    Raises: DocumentInvalid; NotFound: no such city; CitySuspended; IdentityUnconfirmed; UnderAge; in this order.
    """
    application = request.application
    stated = check_document(application.document)
    key = index_key(application.document)
    rows = table.fetch([key, control_key(application.city_id)])
    control = require_active(control_in(rows, application.city_id))
    born = identity_service().confirm(application)
    if born is None or stated not in {None, born}:
        raise IdentityUnconfirmed
    require_adult(born, clock.day_in(control.time_zone, request.now))
    return Identified(person_in(rows, key) or _new_person(key))


def _new_person(key: Key) -> str:
    """A new person's id, or the one that another request gave him a moment ago."""
    drawn, unit = ids.new("s"), Unit()
    create_person(unit, key, drawn)
    try:
        unit.commit()
    except Conflict:
        found = person_in(table.fetch([key]), key)
        assert found is not None, "somebody else has just written it"
        return found
    return drawn
