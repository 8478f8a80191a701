"""A city of the alliance, and its control item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from chalicelib.cities.rules.agreement import Agreement, AgreementOverlaps, Recognition
from chalicelib.core.errors import Problem
from chalicelib.core.text import Text

CONTROL_MAX_BYTES = 4096


class CityExists(Problem):
    code = "city-exists"
    status = 409
    title = Text("该城市已加入联盟", "This city is in the alliance already")


class FoundingTaken(Problem):
    code = "founding-taken"
    status = 409
    title = Text("联盟已有创始城市", "The alliance has its founding city already")


class CitySuspended(Problem):
    code = "city-suspended"
    status = 403
    title = Text("该城市已暂停参与", "This city's part in the alliance is suspended")


class ControlFull(Problem):
    code = "control-full"
    status = 409
    title = Text(
        "该城市生效中的规则与协议过多，请先结束一些",
        "This city has too many rules and agreements in force; end some first",
    )


@dataclass(frozen=True, slots=True)
class District:
    """A district of a city, where a scenario may have other rules."""

    district_id: str
    name: Text


@dataclass(frozen=True, slots=True)
class Scheme:
    """What a city's score may be used for. ``permitted_uses`` None: every use but the forbidden ones."""

    permitted_uses: tuple[str, ...] | None = None
    forbidden_uses: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class City:
    """A member of the alliance. ``founding`` marks the one whose first distribution is the reference population."""

    city_id: str
    name: Text
    time_zone: str
    districts: tuple[District, ...] = ()
    scheme: Scheme = Scheme()
    status: Literal["active", "suspended"] = "active"
    founding: bool = False
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Span:
    """One version and the days on which it is in force: from ``valid_from`` up to, not including, ``valid_to``."""

    version: int
    valid_from: date
    valid_to: date | None = None

    def covers(self, day: date) -> bool:
        """Whether the version is in force on this day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True, slots=True)
class Control:
    """What every request must know of a city, in one read."""

    city_id: str
    time_zone: str
    revision: int = 1
    active: bool = True
    districts: tuple[str, ...] = ()
    scale_version: int | None = None
    concordance_version: int | None = None
    concordances_published: int = 0
    agreements: tuple[Recognition, ...] = ()
    scenarios: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    suspended_partners: tuple[str, ...] = ()
    catalogue_version: int = 0

    def scenario_version(self, scenario_id: str, day: date) -> int | None:
        """The version of a scenario's table in force on a day; the latest published one where several are."""
        versions = [s.version for s in self.scenarios.get(scenario_id, ()) if s.covers(day)]
        return max(versions, default=None)

    def agreement_with(self, home: str, scenario_id: str, day: date) -> Recognition | None:
        """The agreement under which this host treats ``home``'s citizens in a scenario on a day."""
        found = [a for a in self.agreements if a.home == home and a.covers(scenario_id, day)]
        return found[-1] if found else None


def control_for(city: City) -> Control:
    """The first control item of a newly admitted city."""
    return Control(city.city_id, city.time_zone, districts=tuple(d.district_id for d in city.districts))


def with_city(control: Control, city: City) -> Control:
    """The control item after the city's entry has changed."""
    districts = tuple(d.district_id for d in city.districts)
    return replace(control, active=city.status == "active", time_zone=city.time_zone, districts=districts)


def with_agreement(control: Control, agreement: Agreement, today: date) -> Control:
    """The control item after an agreement was signed by both, or has ended; what has ended is dropped.

    Raises: AgreementOverlaps: another one applies to the same people in the same scenario on the same days.
    """
    others = tuple(a for a in control.agreements if a.agreement_id != agreement.agreement_id and not a.ended(today))
    recognition = agreement.recognition
    if recognition.ended(today):
        return replace(control, agreements=others)
    if any(recognition.meets(other, today) for other in others):
        raise AgreementOverlaps
    return replace(control, agreements=(*others, recognition))


def with_scenario(control: Control, scenario_id: str, span: Span, today: date) -> Control:
    """The control item after a scenario's version was published: from its first day on it replaces every other.

    Versions that apply neither today nor later are dropped, but for the one just published.
    """
    earlier = (s for s in control.scenarios.get(scenario_id, ()) if s.valid_from < span.valid_from)
    ended = (replace(s, valid_to=min(s.valid_to or date.max, span.valid_from)) for s in earlier)
    kept = tuple(s for s in ended if s.valid_to is None or today < s.valid_to)
    return replace(control, scenarios={**control.scenarios, scenario_id: (*kept, span)})


def with_catalogue(control: Control) -> Control:
    """The control item after the city's catalogue has changed: whoever keeps a copy reads it anew."""
    return replace(control, catalogue_version=control.catalogue_version + 1)


def require_active(control: Control) -> Control:
    """The control item itself. Raises: CitySuspended."""
    if not control.active:
        raise CitySuspended
    return control
