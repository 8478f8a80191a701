"""How scenarios and recipients are named in consents and passes.

A scenario is ``<city>/<scenario>``. A recipient is ``city:<city>`` or ``<kind>:<city>/<partner>``: the sector for which
a caller's subject ids are sealed, so that a caller is compared with a consent's recipient by one string.
"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.core.errors import Problem
from chalicelib.core.text import Text


class RecipientUnknown(Problem):
    """Absent, of another kind or suspended: the same answer."""

    code = "recipient-unknown"
    status = 422
    title = Text("接收方不存在或已暂停", "This recipient does not exist or is suspended")


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is to receive something; ``partner_id`` is None for a city itself."""

    kind: str
    city_id: str
    partner_id: str | None


def recipient_of(text: str) -> Recipient:
    """The recipient that a string of the checked form names."""
    kind, _, rest = text.partition(":")
    city_id, _, partner_id = rest.partition("/")
    assert city_id, "the schema has checked the form"
    return Recipient(kind, city_id, partner_id or None)


def city_of_scenario(text: str) -> str:
    """The city whose scenario this is."""
    return text.partition("/")[0]
