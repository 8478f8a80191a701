"""Whether a recipient that a citizen names is there and may take part; read together with what else is needed."""

from __future__ import annotations

from chalicelib.cities.rules import Control
from chalicelib.cities.store import control_in, control_key
from chalicelib.core.table import Key, Row
from chalicelib.partners.store import partner_in, partner_key
from chalicelib.subjects.rules import Recipient, RecipientUnknown


def recipient_keys(recipient: Recipient) -> set[Key]:
    """What has to be read to know of a recipient."""
    keys = {control_key(recipient.city_id)}
    if recipient.partner_id is not None:
        keys.add(partner_key(recipient.city_id, recipient.partner_id))
    return keys


def require_recipient(rows: dict[Key, Row], recipient: Recipient) -> None:
    """Returns if the recipient is there and active, and so is its city. Raises: RecipientUnknown."""
    control = active_control(rows, recipient.city_id)
    if control is None or not (recipient.partner_id is None or _takes_part(rows, control, recipient)):
        raise RecipientUnknown.at("/recipient", RecipientUnknown.title)


def active_control(rows: dict[Key, Row], city_id: str) -> Control | None:
    """A city's control item among fetched rows; None if it is no member or suspended."""
    control = control_in(rows, city_id) if control_key(city_id) in rows else None
    return control if control is not None and control.active else None


def _takes_part(rows: dict[Key, Row], control: Control, recipient: Recipient) -> bool:
    assert recipient.partner_id is not None
    partner = partner_in(rows, recipient.city_id, recipient.partner_id)
    if partner is None or partner.partner_id in control.suspended_partners:
        return False
    return partner.kind == recipient.kind and partner.status == "active"
