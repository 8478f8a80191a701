"""Drafts from a spreadsheet: what is sound is kept, a few offers per write; what is not is named, line by line.

Offers that read as their last version are left alone. So the same file a second time changes nothing; and a request
that takes longer than the gateway waits is sent again like any other, and goes on where it was cut short.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Literal

from chalicelib.core import codec, effect, table
from chalicelib.core.auth import Caller
from chalicelib.core.commit import EffectExists, Unit, looking_again
from chalicelib.core.effect import Intent
from chalicelib.core.errors import Problem, TooLarge
from chalicelib.core.text import Text
from chalicelib.offers import store
from chalicelib.offers.rules import (
    Actor,
    BadRow,
    Decoded,
    Home,
    Imported,
    Offer,
    OfferStateConflict,
    decoded,
    drafted,
    heads,
    read_drafts,
    write_drafts,
)
from chalicelib.offers.rules.heads import Head
from chalicelib.offers.service.desk import Name, read_staff

BATCH = 30
MAX_OFFER_BYTES = 65_536
MAX_FAULTS_TOLD = 200
MAX_REFUSED_TOLD = 200
# The report is kept with the effect, in one item.
MAX_LINES_TOLD = 1_000

Outcome = Literal["made", "changed", "unchanged"]


@dataclass(frozen=True, slots=True)
class RefusedOffer:
    """An offer whose rows are sound, and which cannot be written now."""

    offer_id: str
    code: str
    said: Text


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a file. Each row is in a draft that was kept or left alone, refused, bad, or held back.

    ``bad_rows`` are told until ``MAX_FAULTS_TOLD`` faults are; of the others ``more_bad_lines`` has the lines.
    ``held_back`` are the lines of sound rows whose offer has a bad one. Of either, the first ``MAX_LINES_TOLD`` lines.
    """

    encoding: Literal["utf-8", "gb18030"]
    bom: bool
    rows: int
    made: int
    changed: int
    unchanged: int
    bad: int
    bad_rows: tuple[BadRow, ...]
    more_bad_lines: tuple[int, ...]
    held_back_in_all: int
    held_back: tuple[int, ...]
    refused: tuple[RefusedOffer, ...]
    more_refused: int


@dataclass(slots=True)
class _Tally:
    done: list[Outcome] = field(default_factory=list)
    refused: list[RefusedOffer] = field(default_factory=list)


def import_drafts(
    unit: Unit, intent: Intent, now: datetime, caller: Caller, city_id: str, merchant_id: str, raw: bytes
) -> ImportReport:
    """Keeps every sound offer of a spreadsheet as a draft: its next version, or in place of the one that is open.

    Raises: EffectExists: it was imported under this key; CsvUnreadable: the file as a whole; NotFound: no such city or
        merchant; CitySuspended; PartnerSuspended; OfferMoveForbidden; CsvUnreadable: no header, no rows, too many;
        Conflict: somebody else keeps changing the same offers; in this order.
    """
    _require_first(unit, intent)
    file = decoded(raw)
    control, actor = read_staff(caller, city_id, merchant_id)
    drafted(actor, now)
    home = Home(city_id, merchant_id, control.time_zone)
    found = read_drafts(file.text, home)
    tally = _Tally()
    for batch in _batches(_sized(found.drafts, tally)):
        for outcome in looking_again(unit, partial(_keep, now=now, actor=actor, home=home, batch=batch)):
            if isinstance(outcome, RefusedOffer):
                tally.refused.append(outcome)
            else:
                tally.done.append(outcome)
    report = _report(file, found, tally)
    facts = {"merchant_id": merchant_id, "rows": report.rows, "made": report.made, "changed": report.changed}
    unit.effect(effect.row(intent, now, purpose="import-offers", facts=facts, reply=report))
    unit.commit()
    return report


def _require_first(unit: Unit, intent: Intent) -> None:
    """Returns if this was not imported yet: drafts that were changed since are not to be written over."""
    earlier = None if unit.dry_run else effect.find(intent.effect_id)
    if earlier is not None:
        raise EffectExists(earlier)


def _sized(drafts: Iterable[Offer], tally: _Tally) -> Iterator[Offer]:
    """The drafts that an item takes; the others are noted."""
    for draft in drafts:
        if len(codec.to_json(draft).encode()) <= MAX_OFFER_BYTES:
            yield draft
        else:
            said = Text("该优惠的内容过多，请分为几个优惠", "This offer has too much in it; divide it into several")
            tally.refused.append(RefusedOffer(draft.offer_id, TooLarge.code, said))


def _batches(drafts: Iterator[Offer]) -> Iterator[Sequence[Offer]]:
    while batch := list(islice(drafts, BATCH)):
        yield batch


def _keep(
    unit: Unit, now: datetime, actor: Actor, home: Home, batch: Sequence[Offer]
) -> Sequence[Outcome | RefusedOffer]:
    """Writes these drafts in one transaction. Raises: Conflict."""
    names = [Name.of(draft) for draft in batch]
    rows = table.fetch(store.head_key(*name) for name in names)
    found = [store.head_in(rows, store.head_key(*name)) for name in names]
    lasts = _otherwise(found, batch)
    done: list[Outcome | RefusedOffer] = []
    for name, head, draft in zip(names, found, batch, strict=True):
        try:
            if head is None:
                done.append(_made(unit, None, draft, actor, now))
            elif draft.offer_id not in lasts or _reads_as(lasts[draft.offer_id], home, draft):
                done.append("unchanged")
            elif head.listed(head.latest).life.state != "draft":
                done.append(_made(unit, head, draft, actor, now))
            else:
                done.append(_changed(unit, head, draft, actor, now))
        except OfferStateConflict as refused:
            done.append(_refused(name, refused))
    unit.commit()
    return done


def _otherwise(found: Sequence[Head | None], batch: Sequence[Offer]) -> dict[str, Offer]:
    """The last version of every offer of which that is not, letter for letter, what the spreadsheet says; by id."""
    pairs = zip(found, batch, strict=True)
    other = [head for head, draft in pairs if head is not None and head.digest != heads.digest_of(draft)]
    keys = {head.offer_id: store.version_key(*_name(head), head.latest) for head in other}
    rows = table.fetch(keys.values()) if keys else {}
    return {offer_id: store.version_in(rows, key) for offer_id, key in keys.items()}


def _name(head: Head) -> Name:
    return Name(head.city_id, head.merchant_id, head.offer_id)


def _refused(name: Name, problem: Problem) -> RefusedOffer:
    return RefusedOffer(name.offer_id, problem.code, problem.detail)


def _made(unit: Unit, head: Head | None, draft: Offer, actor: Actor, now: datetime) -> Outcome:
    offer = draft if head is None else replace(draft, version=head.latest + 1)
    store.save_head(unit, heads.add_draft(head, offer, actor, now))
    store.save_version(unit, offer)
    return "made"


def _changed(unit: Unit, head: Head, draft: Offer, actor: Actor, now: datetime) -> Outcome:
    offer = replace(draft, version=head.latest)
    store.save_head(unit, heads.edit_draft(head, offer, actor, now))
    store.save_version(unit, offer)
    return "changed"


def _reads_as(last: Offer, home: Home, draft: Offer) -> bool:
    """Whether a version is what the spreadsheet says, but for what a spreadsheet cannot say (blanks around a text)."""
    return read_drafts(write_drafts([last]), home).drafts == (draft,)


def _report(file: Decoded, found: Imported, tally: _Tally) -> ImportReport:
    rows = sum(len(draft.variants) for draft in found.drafts) + len(found.bad_rows) + len(found.held_back)
    told: list[BadRow] = []
    for bad in found.bad_rows:
        if sum(len(row.faults) for row in told) + len(bad.faults) > MAX_FAULTS_TOLD:
            break
        told.append(bad)
    return ImportReport(
        encoding=file.encoding,
        bom=file.bom,
        rows=rows,
        made=tally.done.count("made"),
        changed=tally.done.count("changed"),
        unchanged=tally.done.count("unchanged"),
        bad=len(found.bad_rows),
        bad_rows=tuple(told),
        more_bad_lines=tuple(bad.line for bad in found.bad_rows[len(told) :][:MAX_LINES_TOLD]),
        held_back_in_all=len(found.held_back),
        held_back=found.held_back[:MAX_LINES_TOLD],
        refused=tuple(tally.refused[:MAX_REFUSED_TOLD]),
        more_refused=len(tally.refused[MAX_REFUSED_TOLD:]),
    )
