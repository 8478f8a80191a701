"""Writing versions of offers, and moving them: drafted, reviewed, released, paused, ended; stopped by the city.

A draft that is well defined by itself is kept whatever else is wrong with it: the reply names everything that the
linter has to say in its city, and nothing of it may be left when the draft goes to review.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from chalicelib.core import effect
from chalicelib.core.auth import Caller
from chalicelib.core.commit import EffectExists, Unit, looking_again
from chalicelib.core.effect import Intent
from chalicelib.offers import store
from chalicelib.offers.rules import (
    Move,
    Offer,
    OfferOutOfStep,
    check_offer,
    compile_offer,
    heads,
    require_clean,
    require_in_step,
)
from chalicelib.offers.rules.catalogue import chunk_number
from chalicelib.offers.rules.heads import Head
from chalicelib.offers.service.desk import Desk, Name, findings_of, read_desk, scenario_of, table_version
from chalicelib.offers.service.releasing import cap_counters, lift_counters, show, stop_counters
from chalicelib.offers.service.viewing import OfferView, view
from chalicelib.scenarios.rules import Finding

# A city's catalogue is one for all its merchants: whoever meets another at it looks at it anew.
TRIES = 8
# Nobody is kept from taking something off the shelf.
_ALWAYS: frozenset[Move] = frozenset({"pause", "end", "stop"})
_TO_REVIEW: frozenset[Move] = frozenset({"submit", "approve"})
# Who decides on a version says which content he has read.
_DECIDING: frozenset[Move] = frozenset({"approve", "return"})
# A stop is not given up where every merchant writes the city's catalogue; what calls us waits no longer than 25 s.
STOP_PATIENCE_SECONDS = 12.0
_RELEASING: frozenset[Move] = frozenset({"schedule", "resume"})


def draft(unit: Unit, intent: Intent, now: datetime, caller: Caller, wanted: Offer) -> OfferView:
    """Keeps the next version of an offer, as a draft; its number and its time zone are not the author's to choose.

    Raises: OfferInvalid; NotFound: no such city or merchant; CitySuspended; PartnerSuspended; OfferMoveForbidden;
        OfferStateConflict: the last version is no finished one; Conflict; in this order.
    """
    check_offer(wanted)
    return looking_again(unit, lambda fresh: _draft_once(fresh, intent, now, caller, wanted))


def _draft_once(unit: Unit, intent: Intent, now: datetime, caller: Caller, wanted: Offer) -> OfferView:
    desk = read_desk(caller, Name.of(wanted))
    desk.require_open(wanted.merchant_id)
    version = 1 if desk.seen is None else desk.seen.latest + 1
    offer = replace(wanted, version=version, time_zone=desk.control.time_zone)
    head = heads.add_draft(desk.seen, offer, desk.actor, now)
    return _write(unit, intent, now, desk, head, offer, "draft-offer")


def read_to_edit(now: datetime, caller: Caller, name: Name, version: int) -> tuple[Desk, OfferView]:
    """A version as it stands before somebody writes it anew. Raises: NotFound."""
    version_key = store.version_key(*name, version)
    desk = read_desk(caller, name, [version_key])
    offer = store.version_in(desk.rows, version_key)
    return desk, _seen(desk, desk.head, offer, now, ())


def edit(unit: Unit, intent: Intent, now: datetime, desk: Desk, wanted: Offer) -> OfferView:
    """Writes a draft anew; whoever does becomes one of its authors.

    Args:
        desk: As the caller has seen it; who comes second finds another revision.

    Raises: OfferInvalid; NotFound: no such version; CitySuspended; PartnerSuspended; OfferMoveForbidden;
        OfferStateConflict: it is a draft no more; Conflict: somebody else was faster; in this order.
    """
    check_offer(wanted)
    desk.head.listed(wanted.version)
    desk.require_open(wanted.merchant_id)
    offer = replace(wanted, time_zone=desk.control.time_zone)
    head = heads.edit_draft(desk.head, offer, desk.actor, now)
    return _write(unit, intent, now, desk, head, offer, "edit-offer")


def _write(unit: Unit, intent: Intent, now: datetime, desk: Desk, head: Head, offer: Offer, purpose: str) -> OfferView:
    findings = findings_of(desk.control, offer, now)
    written = store.save_head(unit, head)
    store.save_version(unit, offer)
    return _record(unit, intent, now, purpose, _seen(desk, written, offer, now, findings))


def move(
    unit: Unit,
    intent: Intent,
    now: datetime,
    caller: Caller,
    name: Name,
    version: int,
    wanted: Move,
    digest: str | None = None,
) -> OfferView:
    """Moves a version, and with it, in one write, what people see of it and what is counted of it.

    A stop counts before it is written down: the counters come first, each in a small write of its own that a hot sale
    cannot hold up, then the rest in one. If that fails, nothing is sold any more, and the same request completes it.

    Args:
        digest: Of the content that was read, from whoever approves or returns it.

    Raises: EffectExists: it was stopped under this key; NotFound; CitySuspended; PartnerSuspended; OfferMoveForbidden;
        ApprovalByAuthor; OfferStateConflict; OfferChanged: it is not what was read; OfferLintRefused: on its way to
        review; OfferOutOfStep, CountersFull, CapBelowUse, CatalogueFull: on its way to the shelf; Conflict: the city's
        catalogue keeps changing; Unavailable; in this order.
    """
    return looking_again(
        unit, lambda fresh: _move_once(fresh, intent, now, caller, name, version, wanted, digest), TRIES
    )


def _move_once(
    unit: Unit,
    intent: Intent,
    now: datetime,
    caller: Caller,
    name: Name,
    version: int,
    wanted: Move,
    digest: str | None,
) -> OfferView:
    version_key = store.version_key(*name, version)
    desk = read_desk(caller, name, [version_key, store.chunk_key(name.city_id, chunk_number(name.key))])
    desk.head.listed(version)
    if wanted not in _ALWAYS:
        desk.require_open(name.merchant_id)
    head = heads.move_version(desk.head, version, wanted, desk.actor, now)
    offer = store.version_in(desk.rows, version_key)
    if wanted in _DECIDING:
        heads.require_read(offer, digest)
        store.check_version(unit, desk.rows, version_key)
    findings = _require_fit(desk, offer, wanted, now)
    if wanted in _RELEASING:
        cap_counters(unit, head, offer, now)
    if wanted == "stop":
        _require_first(unit, intent)
        stop_counters(unit, name, head.stopped_to)
        unit.patience_seconds = STOP_PATIENCE_SECONDS
    if wanted == "lift":
        lift_counters(unit, name, desk.head.stopped_to, head.stopped_to)
    show(unit, desk, name, head, offer, now, grows=wanted in _RELEASING)
    written = store.save_head(unit, head)
    return _record(unit, intent, now, "move-offer", _seen(desk, written, offer, now, findings), move=wanted)


def _require_first(unit: Unit, intent: Intent) -> None:
    """Returns if this was not done yet: what was lifted since is not to be stopped by an old request."""
    earlier = None if unit.dry_run else effect.find(intent.effect_id)
    if earlier is not None:
        raise EffectExists(earlier)


def _seen(desk: Desk, head: Head, offer: Offer, now: datetime, findings: Iterable[Finding]) -> OfferView:
    return view(head, offer, now, table_version(desk.control, offer.scenario_id, now), findings)


def _require_fit(desk: Desk, offer: Offer, wanted: Move, now: datetime) -> tuple[Finding, ...]:
    """What the linter says of an offer on its way to review, which must be no error; on the shelf the rules may have
    changed since."""
    if wanted in _TO_REVIEW:
        findings = findings_of(desk.control, offer, now)
        require_clean(findings)
        return findings
    if wanted in _RELEASING:
        table = scenario_of(desk.control, offer, now)
        if table is None:
            raise OfferOutOfStep
        require_in_step(compile_offer(offer, table))
    return ()


def _record(unit: Unit, intent: Intent, now: datetime, purpose: str, reply: OfferView, **more: str) -> OfferView:
    facts = {"merchant_id": reply.merchant_id, "offer_id": reply.offer_id, "version": reply.version, **more}
    unit.effect(effect.row(intent, now, purpose=purpose, facts=facts, reply=reply))
    unit.commit()
    return reply
