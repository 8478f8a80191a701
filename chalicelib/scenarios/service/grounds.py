"""On what a decision rests: gathered from the account and the control items, and turned back into a standing."""

from __future__ import annotations

from datetime import datetime

from chalicelib.cities import store as cities
from chalicelib.cities.rules import Control, Scale
from chalicelib.core import clock
from chalicelib.core.errors import NotFound
from chalicelib.linking import service as linking
from chalicelib.linking import store as concordances
from chalicelib.scenarios import store
from chalicelib.scenarios.rules import (
    SCORE_LIFE_DAYS,
    Basis,
    CompiledTable,
    Decision,
    Facts,
    GradeStanding,
    NoStanding,
    NoStandingReason,
    Recognised,
    ResidentStanding,
    Standing,
    host_grade_of,
    linked_standing,
)
from chalicelib.scenarios.rules import decide as decide_by
from chalicelib.subjects.rules import Account, is_suspended


def basis_of(
    host: Control, home: Control, account: Account, scenario_id: str, district: str | None, now: datetime
) -> Basis:
    """What a decision rests on. Raises: NotFound: no table of this scenario is in force today, or no such district."""
    today = clock.day_in(host.time_zone, now)
    version = host.scenario_version(scenario_id, today)
    if version is None:
        raise NotFound
    require_district(host, district)
    recognised, nothing = None, _nothing(account, store.load_compiled(host.city_id, scenario_id, version), now)
    held = account.score
    if nothing is None and held is not None:
        recognised, nothing = _recognised(host, home, account, scenario_id, version, now)
    usable = held if nothing is None else None
    return Basis(
        city_id=host.city_id,
        scenario_id=scenario_id,
        table_version=version,
        district=district,
        on=today,
        home=home.city_id,
        nothing=nothing,
        score=usable.score if usable else None,
        home_scale_version=usable.scale_version if usable else None,
        as_of=usable.as_of if usable else None,
        recognised=recognised,
    )


def require_district(host: Control, district: str | None) -> None:
    """Returns if the city has this district, or none is named. Raises: NotFound."""
    if district is not None and district not in host.districts:
        raise NotFound


def is_barred(account: Account, compiled: CompiledTable) -> bool:
    """Whether a suspension keeps the person from what this table gives."""
    gives = {field for area in compiled.table.areas for tier in area.tiers for field in tier.benefit}
    later = compiled.table.use == "parking" and "pay_later" in gives
    return is_suspended(account, "pay_later_parking" if later else "all_benefits")


def _nothing(account: Account, compiled: CompiledTable, now: datetime) -> NoStandingReason | None:
    if is_barred(account, compiled):
        return "suspended"
    if account.score is None:
        return "no_score"
    return "score_too_old" if (now - account.score.as_of).days >= SCORE_LIFE_DAYS else None


def _recognised(
    host: Control, home: Control, account: Account, scenario_id: str, version: int, now: datetime
) -> tuple[Recognised | None, NoStandingReason | None]:
    """By what a score counts here; for a resident nothing is needed but that it is on the table's own scale."""
    assert account.score is not None
    compiled = store.load_compiled(host.city_id, scenario_id, version)
    if host.city_id == home.city_id:
        scored_on = cities.load_scale(home.city_id, account.score.scale_version)
        return None, None if scored_on.grid == compiled.scale.grid else "score_too_old"
    if not home.active:
        return None, "not_linked"
    agreement = host.agreement_with(home.city_id, scenario_id, clock.day_in(host.time_zone, now))
    if agreement is None:
        return None, "no_agreement"
    home_scale = cities.load_scale(home.city_id, account.score.scale_version)
    if agreement.method == "concordance":
        numbers = (home.concordance_version, host.concordance_version)
        if None in numbers or not _linked(home, host, home_scale, compiled.scale):
            return None, "not_linked"
        return Recognised(agreement.agreement_id, agreement.method, agreement.grant_on, None, *numbers), None
    grade = None
    if agreement.method == "same_treatment" and home_scale.grid != compiled.scale.grid:
        return None, "not_linked"
    if agreement.method == "grade_map":
        signed = cities.load_signed(host.city_id, agreement.agreement_id)
        grade = host_grade_of(signed, home_scale, account.score.score)
        if grade is None or compiled.scale.grade_index(grade) is None:
            return None, "not_linked"
    return Recognised(agreement.agreement_id, agreement.method, agreement.grant_on, grade), None


def _linked(home: Control, host: Control, home_scale: Scale, host_scale: Scale) -> bool:
    """Whether both concordances are numeric and made for scales on which these scores are the same scores."""
    here, there = linking.in_force(home)[0], linking.in_force(host)[0]
    fits = here.grid == home_scale.grid and there.grid == host_scale.grid
    return fits and here.is_numeric and there.is_numeric


def decided(basis: Basis) -> Decision:
    """The decision that a basis leads to: from immutable versions only, so the same on any day."""
    compiled = table_in_force(basis.city_id, basis.scenario_id, basis.table_version)
    return decide_by(compiled, facts_of(basis))


def table_in_force(city_id: str, scenario_id: str, version: int) -> CompiledTable:
    """One version of a scenario's table, ready to decide, for benefits that stand on it. Raises: NotFound."""
    return store.load_compiled(city_id, scenario_id, version)


def facts_of(basis: Basis) -> Facts:
    """What a table is asked about: the standing that a basis gives, for tables that stand on this one, too."""
    return Facts(basis.on, basis.district, _standing(basis), basis.attributes or {}, basis.resident)


def _standing(basis: Basis) -> Standing:
    if basis.nothing is not None:
        return NoStanding(basis.nothing)
    assert basis.score is not None
    assert basis.home_scale_version is not None
    scale = cities.load_scale(basis.home, basis.home_scale_version)
    recognised = basis.recognised
    if recognised is None or recognised.method == "same_treatment":
        return ResidentStanding.of(scale, basis.score)
    if recognised.host_grade is not None:
        compiled = store.load_compiled(basis.city_id, basis.scenario_id, basis.table_version)
        return GradeStanding.of(compiled.scale, recognised.host_grade)
    assert recognised.home_concordance is not None
    assert recognised.host_concordance is not None
    here = concordances.load_concordance(basis.home, recognised.home_concordance)
    there = concordances.load_concordance(basis.city_id, recognised.host_concordance)
    here_scale = cities.load_scale(basis.home, here.scale_version)
    there_scale = cities.load_scale(basis.city_id, there.scale_version)
    return linked_standing(basis.score, (here, here_scale), (there, there_scale), recognised.grant_on)
