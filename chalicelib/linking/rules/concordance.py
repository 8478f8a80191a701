"""The immutable record of one city version's table, and its canonical document.

Inside the record scores are oriented, so that more is better; the document shows them as the city prints them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, get_args

from chalicelib.cities.rules import Direction, Scale
from chalicelib.core.errors import Problem
from chalicelib.core.text import Text

Method = Literal["equipercentile_counts", "equipercentile_quantiles", "bands", "grade_policy"]


class ConcordanceCorrupt(Problem):
    code = "concordance-corrupt"
    status = 500
    title = Text("分数对照表与其校验值不符", "The concordance does not match its hash")


@dataclass(frozen=True, slots=True, eq=False)
class Concordance:
    """One version of a city's table between score and R. Equal to another if their hashes are.

    Args:
        reference_id: The table whose people are the reference population, "<city>/<version>".
        method: What the city published, which is how much the link can bear. ``grade_policy`` has no knots.
        n, reference_n: People behind this table and behind the reference.
        knots: (oriented score, R to 0.01), both strictly rising, from ``minimum`` to ``maximum`` unless held.
        bounds: For each knot (lower, upper): the edges of its tie band less and plus 1.645 standard errors, rising.
        held: (score, last): the scores beyond a knot that share its R.
        ties: Spans of scores, ends included, within which the data cannot tell people apart.
        cuts_r: The R that enters each grade but the worst: R at the cut less half a step, to 0.0001.
        link_sd: What the link itself may be off by, one standard deviation in R; 0 for the reference.
        sha256: Of the canonical document; computed where left empty.

    Raises: ConcordanceCorrupt: the hash given is not that of the content.
    """

    city_id: str
    version: int
    scale_version: int
    reference_id: str
    method: Method
    n: int
    reference_n: int
    period_from: date
    period_to: date
    minimum: int
    maximum: int
    step: int
    direction: Direction
    knots: tuple[tuple[int, float], ...]
    bounds: tuple[tuple[float, float], ...]
    held: tuple[tuple[int, int], ...]
    ties: tuple[tuple[int, int], ...]
    cuts_r: tuple[float, ...]
    flags: tuple[str, ...]
    link_sd: float
    valid_from: date
    supersedes: int | None
    sha256: str = ""

    def __post_init__(self) -> None:
        digest = _digest(to_document(self))
        if self.sha256 not in ("", digest):
            raise ConcordanceCorrupt
        object.__setattr__(self, "sha256", digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Concordance) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    @property
    def id(self) -> str:
        """ "<city>/<version>"."""
        return f"{self.city_id}/{self.version}"

    @property
    def grid(self) -> tuple[int, int, int, Direction]:
        """Range, step and direction of the scale it was built on (``Scale.grid``)."""
        return self.minimum, self.maximum, self.step, self.direction

    @property
    def is_reference(self) -> bool:
        return self.reference_id == self.id

    @property
    def is_numeric(self) -> bool:
        """Whether it can say a number at all, or only a grade by policy."""
        return bool(self.knots)

    def belongs_to(self, scale: Scale) -> bool:
        """Whether it was built on this version of this city's scale."""
        return self.city_id == scale.city_id and self.scale_version == scale.version


def to_document(c: Concordance) -> dict[str, Any]:
    """The record as JSON values: scores as the city prints them, worst first; whole numbers without a fraction.

    Its canonical bytes (see ``canonical_json``) without ``sha256`` are what is hashed.
    """
    plain: dict[str, Any] = {name: getattr(c, name) for name in _PLAIN}
    return plain | {
        "period_from": c.period_from.isoformat(),
        "period_to": c.period_to.isoformat(),
        "valid_from": c.valid_from.isoformat(),
        "knots": [[_mirror(c, score), _number(r)] for score, r in c.knots],
        "bounds": [[_number(lower), _number(upper)] for lower, upper in c.bounds],
        "held": [[_mirror(c, a), _mirror(c, b)] for a, b in c.held],
        "ties": [[_mirror(c, a), _mirror(c, b)] for a, b in c.ties],
        "cuts_r": [_number(r) for r in c.cuts_r],
        "flags": list(c.flags),
        "link_sd": _number(c.link_sd),
        "sha256": c.sha256,
    }


def from_document(document: Mapping[str, Any]) -> Concordance:
    """The record of a document that ``to_document`` made and something stored. The inverse of ``to_document``.

    Raises: ConcordanceCorrupt: a field missing or strange, a method unknown, or the hash not that of the content.
    """
    try:
        c = _read(document)
    except (KeyError, TypeError, ValueError, IndexError) as strange:
        raise ConcordanceCorrupt from strange
    if c.sha256 != document.get("sha256") or set(document) != set(to_document(c)):
        raise ConcordanceCorrupt
    return c


def canonical_json(document: Mapping[str, Any]) -> bytes:
    """Sorted keys, no blanks, UTF-8: the same bytes in every language.

    Source: RFC 8785 (JSON Canonicalization Scheme), for the keys and numbers that occur here.
    """
    said = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return said.encode()


_PLAIN = (
    *("city_id", "version", "scale_version", "reference_id", "method", "n", "reference_n"),
    *("minimum", "maximum", "step", "direction", "supersedes"),
)


def _read(document: Mapping[str, Any]) -> Concordance:
    if document["method"] not in get_args(Method) or document["direction"] not in get_args(Direction):
        raise ValueError
    ends = document["minimum"] + document["maximum"]
    mirrored = document["direction"] == "lower_is_better"

    def oriented(pairs: list[list[int]]) -> tuple[tuple[int, int], ...]:
        return tuple((ends - a, ends - b) if mirrored else (a, b) for a, b in pairs)

    return Concordance(
        **{name: document[name] for name in _PLAIN},
        period_from=date.fromisoformat(document["period_from"]),
        period_to=date.fromisoformat(document["period_to"]),
        valid_from=date.fromisoformat(document["valid_from"]),
        knots=tuple((ends - s if mirrored else s, float(r)) for s, r in document["knots"]),
        bounds=tuple((float(lower), float(upper)) for lower, upper in document["bounds"]),
        held=oriented(document["held"]),
        ties=oriented(document["ties"]),
        cuts_r=tuple(float(r) for r in document["cuts_r"]),
        flags=tuple(document["flags"]),
        link_sd=float(document["link_sd"]),
        sha256=document["sha256"],
    )


def _mirror(c: Concordance, score: int) -> int:
    return score if c.direction == "higher_is_better" else c.minimum + c.maximum - score


def _number(value: float) -> float:
    return int(value) if value == int(value) else value


def _digest(document: dict[str, Any]) -> str:
    del document["sha256"]
    return hashlib.sha256(canonical_json(document)).hexdigest()
