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
    ScaleInvalid,
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

    Raises: CityExists; FoundingTaken.
    """
    store.create_city(unit, city)
    store.save_control(unit, control_for(city), seen_revision=0)
    unit.effect(effect.row(intent, now, purpose="admit-city", facts={"city_id": city.city_id}, reply=city))
    unit.commit()
    return city


def change(unit: Unit, intent: Intent, now: datetime, city: City) -> City:
    """Replaces a city's entry; ``city.revision`` is the one that was seen.

    Raises: NotFound; StaleVersion: it has changed since.
    """
    control = store.load_control(city.city_id)
    changed = replace(city, revision=city.revision + 1)
    store.update_city(unit, changed)
    store.save_control(unit, with_city(control, city), seen_revision=control.revision)
    facts = {"city_id": city.city_id, "revision": changed.revision, "status": changed.status}
    unit.effect(effect.row(intent, now, purpose="change-city", facts=facts, reply=changed))
    unit.commit()
    return changed


def publish_scale(unit: Unit, intent: Intent, now: datetime, draft: Scale) -> Scale:
    """Publishes the next version of a city's scale, in use at once.

    The concordance stays in force where a score is the same score on both versions (only grades or names differ);
    on another range, step or direction the city has to publish its distribution anew.

    Raises: ScaleInvalid: not well defined; NotFound: no such city; ScaleInvalid: a first day in the future.
    """
    check_scale(draft)
    control = store.load_control(draft.city_id)
    if draft.valid_from > clock.day_in(control.time_zone, now):
        said = Text("分制自公布起使用，起始日不能在将来", "A scale is in use at once; its first day cannot lie ahead")
        raise ScaleInvalid.at("/valid_from", said)
    scale = replace(draft, version=(control.scale_version or 0) + 1)
    same_grid = control.scale_version is not None and store.current_scale(control).grid == scale.grid
    kept = control.concordance_version if same_grid else None
    store.create_scale(unit, scale)
    renewed = replace(control, scale_version=scale.version, concordance_version=kept)
    store.save_control(unit, renewed, seen_revision=control.revision)
    facts = {"city_id": scale.city_id, "version": scale.version}
    unit.effect(effect.row(intent, now, purpose="publish-scale", facts=facts, reply=scale))
    unit.commit()
    return scale


def propose_agreement(unit: Unit, intent: Intent, now: datetime, draft: Agreement) -> Agreement:
    """The host proposes an agreement; proposing is signing for one's own part.

    Raises: NotFound: no such city; AgreementInvalid; AgreementClosed: it would have ended before it was made.
    """
    controls = store.load_controls({draft.host, draft.home})
    host_scale = store.current_scale(controls[draft.host], _no_scale)
    home_scale = store.current_scale(controls[draft.home], _no_scale)
    identified = replace(draft, agreement_id="a" + intent.effect_id.rpartition(".")[2])
    today = clock.day_in(controls[draft.host].time_zone, now)
    proposed = sign(check_agreement(identified, host_scale, home_scale), draft.host, today)
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

    Raises: NotFound: no such agreement, or not this city's; AgreementClosed; AgreementOverlaps; ControlFull.
    """
    control, agreement = _of_party(city_id, host, agreement_id)
    today = clock.day_in(control.time_zone, now)
    signed = sign(agreement, city_id, today)
    if signed.revision != agreement.revision:
        store.update_agreement(unit, signed)
    if signed.signed and not agreement.signed:
        carried = with_agreement(control, signed, today)
        store.save_control(unit, carried, seen_revision=control.revision, grows=True)
    return _record(unit, intent, now, "sign-agreement", signed)


def end_agreement(unit: Unit, intent: Intent, now: datetime, city_id: str, host: str, agreement_id: str) -> Agreement:
    """One of the two cities ends an agreement, from today in the host's time zone.

    Raises: NotFound: no such agreement, or not this city's; AgreementClosed.
    """
    control, agreement = _of_party(city_id, host, agreement_id)
    today = clock.day_in(control.time_zone, now)
    ended = end(agreement, today)
    store.update_agreement(unit, ended)
    if agreement.signed:
        store.save_control(unit, with_agreement(control, ended, today), seen_revision=control.revision)
    return _record(unit, intent, now, "end-agreement", ended)


def _of_party(city_id: str, host: str, agreement_id: str) -> tuple[Control, Agreement]:
    """The host's control item and one of its agreements, for one of the two cities."""
    control, agreement = store.load_with_control(host, agreement_id)
    if city_id not in {agreement.host, agreement.home}:
        raise NotFound
    return control, agreement


def _record(unit: Unit, intent: Intent, now: datetime, purpose: str, agreement: Agreement) -> Agreement:
    facts = {"agreement_id": agreement.agreement_id, "revision": agreement.revision}
    unit.effect(effect.row(intent, now, purpose=purpose, facts=facts, reply=agreement))
    unit.commit()
    return agreement
