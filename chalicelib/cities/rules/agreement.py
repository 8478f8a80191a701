"""Recognition agreements: how a host city treats another city's citizens, in which scenarios, since when.

The alliance's own practice is not published; two patterns are documented (the host's own treatment, and a value mapped
by the issuer). So every agreement names its method, and both cities sign it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from chalicelib.cities.rules.scale import Scale
from chalicelib.core.errors import Problem
from chalicelib.core.text import Text

Method = Literal["concordance", "same_treatment", "grade_map"]
GrantOn = Literal["point", "lower_bound"]
EVERY_SCENARIO = "*"


class AgreementInvalid(Problem):
    code = "agreement-invalid"
    status = 422
    title = Text("互认协议内容有误", "The recognition agreement is not well defined")


class AgreementOverlaps(Problem):
    code = "agreement-overlaps"
    status = 409
    title = Text(
        "与该城市已有生效或将生效的协议，请先结束原协议",
        "There is an agreement with this city for the same scenarios and days already; end it first",
    )


class AgreementClosed(Problem):
    code = "agreement-closed"
    status = 409
    title = Text("该协议已签署或已结束，不能再改", "This agreement is signed or ended and cannot be changed")


@dataclass(frozen=True, slots=True)
class Recognition:
    """A signed agreement as the host's control item carries it. No ``scenarios``: it applies to all of them."""

    agreement_id: str
    home: str
    method: Method
    grant_on: GrantOn
    valid_from: date
    valid_to: date | None = None
    scenarios: tuple[str, ...] = ()

    def ended(self, today: date) -> bool:
        """Whether it applies neither today nor on any later day."""
        return self.valid_to is not None and self.valid_to <= max(today, self.valid_from)

    def meets(self, other: Recognition, today: date) -> bool:
        """Whether both apply to the same home city's citizens in one scenario on one day, today or later."""
        first = max(self.valid_from, other.valid_from, today)
        in_time = all(a.valid_to is None or first < a.valid_to for a in (self, other))
        shared = not self.scenarios or not other.scenarios or set(self.scenarios) & set(other.scenarios)
        return self.home == other.home and in_time and bool(shared)

    def covers(self, scenario_id: str, day: date) -> bool:
        """Whether it applies to a scenario on a day."""
        in_time = self.valid_from <= day and (self.valid_to is None or day < self.valid_to)
        return in_time and (not self.scenarios or scenario_id in self.scenarios)


@dataclass(frozen=True, slots=True)
class Agreement:
    """One recognition agreement. In force once both cities have signed, from ``valid_from`` until ``valid_to``.

    ``grade_map`` gives, for the method of that name, the host's grade for each grade of the home city. ``grant_on``
    says whether a benefit is granted on the linked score itself or on its lower bound.
    """

    agreement_id: str
    host: str
    home: str
    method: Method
    grant_on: GrantOn
    valid_from: date
    valid_to: date | None = None
    scenarios: tuple[str, ...] = (EVERY_SCENARIO,)
    grade_map: Mapping[str, str] = field(default_factory=dict)
    signed_by: tuple[str, ...] = ()
    illustrative: bool = False
    revision: int = 1

    @property
    def signed(self) -> bool:
        """Whether both cities have signed."""
        return {self.host, self.home} <= set(self.signed_by)

    @property
    def recognition(self) -> Recognition:
        """What every request of the host must know of it."""
        named = () if EVERY_SCENARIO in self.scenarios else self.scenarios
        return Recognition(
            self.agreement_id, self.home, self.method, self.grant_on, self.valid_from, self.valid_to, named
        )


def check_agreement(agreement: Agreement, host_scale: Scale, home_scale: Scale) -> Agreement:
    """The agreement itself, if it is well defined.

    Raises:
        AgreementInvalid: a city with itself; an end not after its start; a grade map missing, of another method,
            with unknown grades, with a home grade left out, or with a better home grade worse off; the same treatment
            between scales that differ in range, step or direction; in this order.
    """
    if agreement.host == agreement.home:
        raise AgreementInvalid.at("/home", Text("不能与本市签订协议", "A city makes no agreement with itself"))
    if agreement.valid_to is not None and agreement.valid_to <= agreement.valid_from:
        raise AgreementInvalid.at("/valid_to", Text("结束日须晚于开始日", "It must end after it begins"))
    if (agreement.method == "grade_map") != bool(agreement.grade_map):
        said = Text(
            "仅等级对照方式需要且必须附等级对照表", "A grade map belongs to the method grade_map, and only there"
        )
        raise AgreementInvalid.at("/grade_map", said)
    if agreement.method == "grade_map":
        _check_grade_map(agreement, host_scale, home_scale)
    if agreement.method == "same_treatment" and host_scale.grid != home_scale.grid:
        said = Text("两市分制不同，不能直接同城待遇", "The two scales differ; the same treatment needs equal scales")
        raise AgreementInvalid.at("/method", said)
    return agreement


def _check_grade_map(agreement: Agreement, host_scale: Scale, home_scale: Scale) -> None:
    ranks = []
    for grade in home_scale.grades:
        rank = host_scale.grade_index(agreement.grade_map.get(grade.name, ""))
        if rank is None:
            said = Text("对照表须为对方每个等级指定本市等级", "Every grade of the home city needs one of the host's")
            raise AgreementInvalid.at("/grade_map", said)
        ranks.append(rank)
    if len(agreement.grade_map) != len(home_scale.grades):
        raise AgreementInvalid.at("/grade_map", Text("对照表中有未知等级", "The map names an unknown grade"))
    if ranks != sorted(ranks):
        said = Text("较好的等级不得对应较差的等级", "A better grade must not be mapped to a worse one")
        raise AgreementInvalid.at("/grade_map", said)


def sign(agreement: Agreement, city_id: str, today: date) -> Agreement:
    """The agreement with one more signature; signing twice changes nothing.

    Raises: AgreementClosed: it has ended, or both have signed already.
    """
    assert city_id in {agreement.host, agreement.home}, "only the two cities sign"
    if agreement.valid_to is not None and agreement.valid_to <= today:
        raise AgreementClosed
    if city_id in agreement.signed_by:
        return agreement
    if agreement.signed:
        raise AgreementClosed
    return replace(agreement, signed_by=(*agreement.signed_by, city_id), revision=agreement.revision + 1)


def end(agreement: Agreement, on: date) -> Agreement:
    """The agreement, ended on a day (either city may end it).

    Raises: AgreementClosed: it has ended before.
    """
    if agreement.valid_to is not None and agreement.valid_to <= on:
        raise AgreementClosed
    return replace(agreement, valid_to=max(on, agreement.valid_from), revision=agreement.revision + 1)
