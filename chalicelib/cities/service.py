"""What happens to cities, scales and agreements: one function per verb."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.cities import store
from chalicelib.cities.rules import (
    Agreement,
    AgreementInvalid,
    City,
    Control,
    Scale,
    check_agreement,
    check_scale,
    control_for,
    end,
    sign,
    with_agreement,
    with_city,
)
from chalicelib.core import clock, effect
from chalicelib.core.commit import Unit
from chalicelib.core.effect import Intent
from chalicelib.core.errors import NotFound
from chalicelib.core.text import Text


def admit(unit: Unit, intent: Intent, now: datetime, city: City) -> City:
    """Admits a city to the alliance.

    Raises: CityExists.
    """
    store.create_city(unit, city)
    store.save_control(unit, control_for(city), seen_revision=0)
    unit.effect(effect.row(intent, now, purpose="admit-city", facts={"city_id": city.city_id}, reply=city))
    unit.commit()
    return city


def change(unit: Unit, city: City) -> City:
    """Replaces a city's entry; ``city.revision`` is the one that was seen.

    Raises: NotFound; StaleVersion: it has changed since.
    """
    control = store.load_control(city.city_id)
    changed = replace(city, revision=city.revision + 1)
    store.update_city(unit, changed)
    store.save_control(unit, with_city(control, city), seen_revision=control.revision)
    unit.commit()
    return changed


def publish_scale(unit: Unit, intent: Intent, now: datetime, draft: Scale) -> Scale:
    """Publishes the next version of a city's scale. What was linked or ruled on an earlier version stays with it.

    Raises: ScaleInvalid; NotFound: no such city.
    """
    check_scale(draft)
    control = store.load_control(draft.city_id)
    scale = replace(draft, version=(control.scale_version or 0) + 1)
    store.create_scale(unit, scale)
    store.save_control(
        unit,
        replace(control, scale_version=scale.version, concordance_version=None),
        seen_revision=control.revision,
    )
    facts = {"city_id": scale.city_id, "version": scale.version}
    unit.effect(effect.row(intent, now, purpose="publish-scale", facts=facts, reply=scale))
    unit.commit()
    return scale


def propose_agreement(unit: Unit, intent: Intent, now: datetime, draft: Agreement) -> Agreement:
    """The host proposes an agreement; proposing is signing for one's own part.

    Raises: NotFound: no such city; AgreementInvalid.
    """
    controls = store.load_controls({draft.host, draft.home})
    host_scale = store.current_scale(controls[draft.host], _no_scale)
    home_scale = store.current_scale(controls[draft.home], _no_scale)
    identified = replace(draft, agreement_id="a" + intent.effect_id.rpartition(".")[2])
    proposed = sign(check_agreement(identified, host_scale, home_scale), draft.host)
    store.create_agreement(unit, proposed)
    facts = {"agreement_id": proposed.agreement_id, "host": proposed.host, "home": proposed.home}
    unit.effect(effect.row(intent, now, purpose="propose-agreement", facts=facts, reply=proposed))
    unit.commit()
    return proposed


def _no_scale() -> AgreementInvalid:
    return AgreementInvalid(
        Text("两市都须先公布分制", "Both cities must publish their scales before they make an agreement")
    )


def sign_agreement(unit: Unit, intent: Intent, now: datetime, city_id: str, host: str, agreement_id: str) -> Agreement:
    """One of the two cities signs; with the second signature the host's control item carries the agreement.

    Raises: NotFound: no such agreement, or not this city's; AgreementClosed.
    """
    control, agreement = _of_party(city_id, host, agreement_id)
    signed = sign(agreement, city_id)
    if signed.revision != agreement.revision:
        store.update_agreement(unit, signed)
    if signed.signed and not agreement.signed:
        _carry(unit, control, signed)
    return _record(unit, intent, now, "sign-agreement", signed)


def end_agreement(unit: Unit, intent: Intent, now: datetime, city_id: str, host: str, agreement_id: str) -> Agreement:
    """One of the two cities ends an agreement, from today in the host's time zone.

    Raises: NotFound: no such agreement, or not this city's; AgreementClosed.
    """
    control, agreement = _of_party(city_id, host, agreement_id)
    ended = end(agreement, clock.day_in(control.time_zone, now))
    store.update_agreement(unit, ended)
    if agreement.signed:
        _carry(unit, control, ended)
    return _record(unit, intent, now, "end-agreement", ended)


def _of_party(city_id: str, host: str, agreement_id: str) -> tuple[Control, Agreement]:
    """The host's control item and one of its agreements, for one of the two cities."""
    control, agreement = store.load_with_control(host, agreement_id)
    if city_id not in {agreement.host, agreement.home}:
        raise NotFound
    return control, agreement


def _carry(unit: Unit, control: Control, agreement: Agreement) -> None:
    store.save_control(unit, with_agreement(control, agreement), seen_revision=control.revision)


def _record(unit: Unit, intent: Intent, now: datetime, purpose: str, agreement: Agreement) -> Agreement:
    facts = {"agreement_id": agreement.agreement_id, "revision": agreement.revision}
    unit.effect(effect.row(intent, now, purpose=purpose, facts=facts, reply=agreement))
    unit.commit()
    return agreement
