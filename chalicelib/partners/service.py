"""What happens to partners: one function per verb."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.cities.rules import Control, require_active
from chalicelib.cities.store import load_control, save_control
from chalicelib.core import effect
from chalicelib.core.commit import Unit
from chalicelib.core.effect import Intent
from chalicelib.partners import store
from chalicelib.partners.rules import Partner, check_partner, check_staff, with_partner


def enter(unit: Unit, intent: Intent, now: datetime, partner: Partner) -> Partner:
    """Enters a partner in its city's list.

    Raises: PartnerInvalid; NotFound: no such city; CitySuspended; PartnerExists; UsccTaken.
    """
    check_partner(partner)
    require_active(load_control(partner.city_id))
    store.create_partner(unit, partner)
    facts = {"city_id": partner.city_id, "partner_id": partner.partner_id, "uscc": partner.uscc}
    unit.effect(effect.row(intent, now, purpose="enter-partner", facts=facts, reply=partner))
    unit.commit()
    return partner


def change(unit: Unit, intent: Intent, now: datetime, control: Control, seen: Partner, wanted: Partner) -> Partner:
    """Replaces a partner's entry. A change of status goes into the city's control item in the same transaction.

    Raises: PartnerInvalid; StaleVersion: it has changed since it was seen; Conflict: the control item has.
    """
    changed = replace(check_staff(wanted), revision=seen.revision + 1)
    store.update_partner(unit, changed)
    if changed.status != seen.status:
        save_control(unit, with_partner(control, changed), seen_revision=control.revision)
    facts = {"city_id": changed.city_id, "partner_id": changed.partner_id, "revision": changed.revision}
    unit.effect(effect.row(intent, now, purpose="change-partner", facts=facts, reply=changed))
    unit.commit()
    return changed
