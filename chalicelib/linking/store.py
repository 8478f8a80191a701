"""What is remembered of distributions and concordances. Keys: ``docs/keys.md`` § linking.

Both are immutable, so they are kept in memory once read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from pynamodb.attributes import UnicodeAttribute

from chalicelib.core import codec, table
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict, NotFound, Problem
from chalicelib.core.table import IntAttribute, Key, Row
from chalicelib.core.text import Text
from chalicelib.linking.rules import Concordance, Published, canonical_json, from_document, to_document


class ReferenceMissing(Problem):
    code = "reference-missing"
    status = 409
    title = Text("创始城市尚未公布分布，暂不能换算", "The founding city has not published its distribution yet")


class _BriefRow(Row, discriminator="concordance-brief"):
    document = UnicodeAttribute()


class _ConcordanceRow(Row, discriminator="concordance"):
    document = UnicodeAttribute()


class _DistributionRow(Row, discriminator="distribution"):
    document = UnicodeAttribute()


class _ReferenceRow(Row, discriminator="reference"):
    city_id = UnicodeAttribute()
    version = IntAttribute()


@dataclass(frozen=True, slots=True)
class Brief:
    """One line about a concordance: what it rests on and what it warns of."""

    city_id: str
    version: int
    scale_version: int
    reference_id: str
    method: str
    n: int
    link_sd: float
    period_from: str
    period_to: str
    valid_from: str
    supersedes: int | None
    flags: tuple[str, ...]
    sha256: str


def brief_of(concordance: Concordance) -> Brief:
    """The line about a concordance."""
    return Brief(
        concordance.city_id,
        concordance.version,
        concordance.scale_version,
        concordance.reference_id,
        concordance.method,
        concordance.n,
        concordance.link_sd,
        concordance.period_from.isoformat(),
        concordance.period_to.isoformat(),
        concordance.valid_from.isoformat(),
        concordance.supersedes,
        concordance.flags,
        concordance.sha256,
    )


def create_version(unit: Unit, concordance: Concordance, published: Published) -> None:
    """Adds a version: the record, its line in the list, and the distribution it was made of."""
    city_id, version = concordance.city_id, concordance.version
    record = canonical_json(to_document(concordance)).decode()
    unit.create(_ConcordanceRow(*_record_key(city_id, version), document=record), Conflict)
    unit.create(_DistributionRow(*_distribution_key(city_id, version), document=codec.to_json(published)), Conflict)
    line = codec.to_json(brief_of(concordance))
    unit.create(_BriefRow(f"{city_id}#concordances", f"{version:06d}", document=line), Conflict)


def create_reference(unit: Unit, concordance: Concordance) -> None:
    """Declares whose people are the reference population: once, for ever."""
    row = _ReferenceRow(*_REFERENCE_KEY, city_id=concordance.city_id, version=concordance.version)
    unit.create(row, Conflict)


def load_reference() -> Concordance:
    """The reference population's concordance. Raises: ReferenceMissing."""
    row = table.get(_ReferenceRow, _REFERENCE_KEY)
    if row is None:
        raise ReferenceMissing
    return load_concordance(row.city_id, row.version)


@table.kept
def load_concordance(city_id: str, version: int) -> Concordance:
    """One version, its hash verified. Raises: NotFound."""
    row = table.get(_ConcordanceRow, _record_key(city_id, version))
    if row is None:
        raise NotFound
    return from_document(json.loads(row.document))


@table.kept
def load_published(city_id: str, version: int) -> Published:
    """The distribution that a version was made of. Raises: NotFound."""
    row = table.get(_DistributionRow, _distribution_key(city_id, version))
    if row is None:
        raise NotFound
    return codec.from_json(Published, row.document)


def list_briefs(city_id: str, limit: int, after: str | None) -> tuple[list[Brief], str | None]:
    """One page of a city's concordances, newest first."""
    rows, last = table.query(_BriefRow, f"{city_id}#concordances", limit=limit, after=after, descending=True)
    return [codec.from_json(Brief, row.document) for row in rows], last


_REFERENCE_KEY = Key("alliance#reference", "reference")


def _record_key(city_id: str, version: int) -> Key:
    return Key(f"{city_id}#concordance#{version:06d}", "concordance")


def _distribution_key(city_id: str, version: int) -> Key:
    return Key(f"{city_id}#concordance#{version:06d}", "distribution")
