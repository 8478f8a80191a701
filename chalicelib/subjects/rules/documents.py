"""Identity documents and ages: what is checked before anybody is enrolled.

A document's number is a filter and a key, never a fact that is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from chalicelib.core.errors import Problem
from chalicelib.core.text import Text

ADULT_YEARS = 18

DocumentKind = Literal["cn_resident_id", "hmt_residence_permit", "foreign_permanent_resident_id", "passport"]
_ISSUED_IN_CHINA = frozenset({"cn_resident_id", "hmt_residence_permit", "foreign_permanent_resident_id"})
_NUMBERED_BY_GB_11643 = frozenset({"cn_resident_id", "hmt_residence_permit"})
_DIGITS = frozenset("0123456789")
_MODULUS = 11


class DocumentInvalid(Problem):
    code = "document-invalid"
    status = 422
    title = Text("证件信息有误", "The document's particulars do not fit")


class IdentityUnconfirmed(Problem):
    code = "identity-unconfirmed"
    status = 403
    title = Text("身份未能核实", "The identity could not be confirmed")


class UnderAge(Problem):
    """Source: PIPL art. 28 and 31; every city's own rule starts at 18."""

    code = "under-age"
    status = 403
    title = Text("未满十八周岁，不能开通", "Only persons of 18 and over can be enrolled")


@dataclass(frozen=True, slots=True)
class Document:
    """An identity document. Its number is not shown when the document is printed."""

    kind: DocumentKind
    country: str
    number: str = field(repr=False)

    @property
    def normalised(self) -> str:
        """The number without spaces and hyphens, in capitals: equal numbers are written alike."""
        return "".join(character for character in self.number.upper() if character not in " -")

    @property
    def index_text(self) -> str:
        """What the identity index is kept by, after a keyed digest."""
        return f"doc:{self.kind}:{self.country}:{self.normalised}"


def check_document(document: Document) -> date | None:
    """The date of birth that a document's number states, if it states one.

    Raises:
        DocumentInvalid: a Chinese document of another country; a number whose check character does not fit or whose
            date of birth is no date; in this order.
    """
    if document.kind in _ISSUED_IN_CHINA and document.country != "CN":
        raise DocumentInvalid.at("/document/country", Text("该证件由中国签发", "This document is issued by China"))
    if document.kind not in _NUMBERED_BY_GB_11643:
        return None
    born = _born(document.normalised) if is_identity_number(document.normalised) else None
    if born is None:
        said = Text("证件号码校验不符", "The document's number does not pass its own check")
        raise DocumentInvalid.at("/document/number", said)
    return born


def is_identity_number(number: str) -> bool:
    """Whether a number has 17 digits and the check character that belongs to them.

    With a(1) … a(18) from the left and X worth 10: Σ a(i)·2^(18−i) ≡ 1 (mod 11). Every single wrong character and
    every swap of two different neighbours is found. It proves nothing about a person.
    Source: GB 11643-1999, ISO 7064 MOD 11-2.
    """
    if len(number) != 18 or not set(number[:17]) <= _DIGITS or number[17] not in _DIGITS | {"X"}:
        return False
    values = [10 if character == "X" else int(character) for character in number]
    return sum(value * pow(2, 17 - i, _MODULUS) for i, value in enumerate(values)) % _MODULUS == 1


def _born(number: str) -> date | None:
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def age_years(born: date, day: date) -> int:
    """Full years of age on a day: a year is full on the birthday; who was born on 29 February is a year older on 1
    March of a common year.

    Source: Civil Code of the PRC art. 17 (adult at 18).
    """
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def require_adult(born: date, day: date) -> None:
    """Returns if a person is 18 or over on ``day`` (in the city's time zone). Raises: UnderAge."""
    if age_years(born, day) < ADULT_YEARS:
        raise UnderAge
