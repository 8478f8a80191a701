"""A partner of a city, and what may be changed of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from chalicelib.cities.rules import Control
from chalicelib.core.errors import Problem
from chalicelib.core.text import Text
from chalicelib.partners.rules.uscc import is_invented, is_uscc

PartnerKind = Literal["merchant", "bank", "hospital", "parking_operator", "library", "insurer"]
Role = Literal["author", "reviewer", "operator"]


class PartnerInvalid(Problem):
    code = "partner-invalid"
    status = 422
    title = Text("合作方信息有误", "The partner's entry is not well defined")


class PartnerExists(Problem):
    code = "partner-exists"
    status = 409
    title = Text("本市已有此编号的合作方", "This city has a partner of this id already")


class UsccTaken(Problem):
    code = "uscc-taken"
    status = 409
    title = Text(
        "该统一社会信用代码已登记为本市另一合作方",
        "Another partner of this city has this unified social credit code",
    )


class PartnerSuspended(Problem):
    code = "partner-suspended"
    status = 403
    title = Text("该合作方已被所在城市暂停", "This partner is suspended by its city")


@dataclass(frozen=True, slots=True)
class Staff:
    """One member of a partner's staff, by the ``sub`` of his tokens, and what he may do."""

    sub: str
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner. ``illustrative`` marks an invented one, whose ``uscc`` names a region that is assigned to nobody."""

    city_id: str
    partner_id: str
    kind: PartnerKind
    name: Text
    uscc: str
    staff: tuple[Staff, ...] = ()
    status: Literal["active", "suspended"] = "active"
    illustrative: bool = False
    revision: int = 1

    def has_role(self, sub: str, role: Role) -> bool:
        """Whether this member of the staff has this role."""
        return any(member.sub == sub and role in member.roles for member in self.staff)


def check_partner(partner: Partner) -> Partner:
    """The partner itself, if it is well defined.

    Raises:
        PartnerInvalid: a code whose check character does not fit; an invented code of a partner that is not marked
            illustrative, or a marked one whose code could be somebody's; a member of the staff twice; in this order.
    """
    if not is_uscc(partner.uscc):
        said = Text(
            "统一社会信用代码的校验位不符", "The check character of the unified social credit code does not fit"
        )
        raise PartnerInvalid.at("/uscc", said)
    if is_invented(partner.uscc) != partner.illustrative:
        said = Text(
            "虚构的合作方须用未分配的地区码并标明 illustrative，真实的则不得",
            "An invented partner uses an unassigned region and is marked illustrative; a real one is neither",
        )
        raise PartnerInvalid.at("/uscc", said)
    return check_staff(partner)


def check_staff(partner: Partner) -> Partner:
    """The partner itself. Raises: PartnerInvalid: a member of the staff is listed twice."""
    seen: set[str] = set()
    for index, member in enumerate(partner.staff):
        if member.sub in seen:
            said = Text("同一人员重复列出", "This member of the staff is listed twice")
            raise PartnerInvalid.at(f"/staff/{index}/sub", said)
        seen.add(member.sub)
    return partner


def with_partner(control: Control, partner: Partner) -> Control:
    """The city's control item after a partner's status has changed."""
    others = [listed for listed in control.suspended_partners if listed != partner.partner_id]
    suspended = [partner.partner_id] if partner.status == "suspended" else []
    return replace(control, suspended_partners=tuple(sorted([*others, *suspended])))


def require_partner(control: Control, partner_id: str) -> None:
    """Returns if the city lets this partner take part. Raises: PartnerSuspended."""
    if partner_id in control.suspended_partners:
        raise PartnerSuspended
