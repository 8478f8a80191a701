"""One decision, told to three kinds of reader. What a partner is told depends on the tiers reached and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, overload

from chalicelib.core.text import Text
from chalicelib.scenarios.rules.benefits import FIELDS, Benefit, describe
from chalicelib.scenarios.rules.compiled import Params
from chalicelib.scenarios.rules.conditions import Verdict
from chalicelib.scenarios.rules.decisions import Decision
from chalicelib.scenarios.rules.receipts import ENGINE_VERSION, digest
from chalicelib.scenarios.rules.rulings import TABLE_REFUSES, Outcome, Reason
from chalicelib.scenarios.rules.standings import StandingKind
from chalicelib.scenarios.rules.wording import (
    OUTCOMES,
    WORDING_VERSION,
    next_sentence,
    reason_sentence,
    visitor_sentence,
)

Audience = Literal["citizen", "auditor", "partner"]


@dataclass(frozen=True, slots=True)
class PartnerView:
    """For a merchant, a bank, an operator, a host city: the tier and what it gives.

    ``illustrative``, here and for the citizen: the table's figures are invented.
    """

    city_id: str
    scenario_id: str
    version: int
    district: str | None
    outcome: Literal["granted", "refused"]
    tier_ids: tuple[str, ...]
    benefit: Benefit
    codes: tuple[str, ...]
    illustrative: bool


@dataclass(frozen=True, slots=True)
class BenefitLine:
    field: str
    value: int | bool
    said: Text


@dataclass(frozen=True, slots=True)
class ReasonLine:
    code: str
    tier_id: str | None
    verdict: Verdict
    missing_points: int | None
    said: Text


@dataclass(frozen=True, slots=True)
class NextLine:
    tier_id: str
    name: Text
    gives: Benefit
    missing_points: int | None
    said: Text


@dataclass(frozen=True, slots=True)
class CitizenView:
    """For the person himself: everything, in sentences."""

    city_id: str
    scenario_id: str
    version: int
    wording_version: int
    name: Text
    district: str | None
    outcome: Outcome
    said: Text
    tier_ids: tuple[str, ...]
    benefit: tuple[BenefitLine, ...]
    reasons: tuple[ReasonLine, ...]
    next_tier: NextLine | None
    illustrative: bool


@dataclass(frozen=True, slots=True)
class AuditorReason:
    code: str
    tier_id: str | None
    verdict: Verdict
    params: Params
    missing_points: int | None


@dataclass(frozen=True, slots=True)
class AuditorView:
    """For the auditor: everything, in codes and figures, and the digest that a replay must give again."""

    city_id: str
    scenario_id: str
    version: int
    table_sha256: str
    scale_version: int
    engine_version: int
    on: date
    district: str | None
    area: str | None
    standing: StandingKind
    outcome: Outcome
    tier_ids: tuple[str, ...]
    benefit: Benefit
    reasons: tuple[AuditorReason, ...]
    next_tier_id: str | None
    missing_points: int | None
    sha256: str


@overload
def explain(decision: Decision, audience: Literal["citizen"]) -> CitizenView: ...
@overload
def explain(decision: Decision, audience: Literal["auditor"]) -> AuditorView: ...
@overload
def explain(decision: Decision, audience: Literal["partner"]) -> PartnerView: ...
def explain(decision: Decision, audience: Audience) -> CitizenView | AuditorView | PartnerView:
    """The decision as this reader may know it."""
    if audience == "citizen":
        return _for_citizen(decision)
    return _for_auditor(decision) if audience == "auditor" else _for_partner(decision)


def _for_partner(decision: Decision) -> PartnerView:
    # "unknown" and the reason for a missing score would each tell more about the person than the tier does.
    granted = decision.outcome == "granted"
    if _does_not_apply(decision):
        codes = tuple(reason.code for reason in decision.reasons)
    else:
        codes = ("tier_reached",) if granted else ("no_tier_reached",)
    return PartnerView(
        city_id=decision.city_id,
        scenario_id=decision.scenario_id,
        version=decision.version,
        district=decision.district,
        outcome="granted" if granted else "refused",
        tier_ids=decision.tier_ids,
        benefit=dict(decision.benefit),
        codes=codes,
        illustrative=decision.compiled.table.illustrative,
    )


def _does_not_apply(decision: Decision) -> bool:
    """Whether the table says nothing on this day or in this district."""
    return any(reason.code in TABLE_REFUSES for reason in decision.reasons)


def _for_citizen(decision: Decision) -> CitizenView:
    reasons = tuple(_reason_line(decision, reason) for reason in decision.reasons)
    return CitizenView(
        city_id=decision.city_id,
        scenario_id=decision.scenario_id,
        version=decision.version,
        wording_version=WORDING_VERSION,
        name=decision.compiled.table.name,
        district=decision.district,
        outcome=decision.outcome,
        said=reasons[0].said if _does_not_apply(decision) else OUTCOMES[decision.outcome],
        tier_ids=decision.tier_ids,
        benefit=tuple(
            BenefitLine(name, decision.benefit[name], describe(name, decision.benefit[name]))
            for name in FIELDS
            if name in decision.benefit
        ),
        reasons=reasons,
        next_tier=_next_line(decision),
        illustrative=decision.compiled.table.illustrative,
    )


def _reason_line(decision: Decision, reason: Reason) -> ReasonLine:
    missing = decision.shortfall(reason)
    sentence = visitor_sentence if decision.facts.standing.kind == "linked" else reason_sentence
    said = sentence(reason, decision.compiled.scale, decision.compiled.table.fact_names, missing)
    return ReasonLine(reason.code, reason.tier_id, reason.verdict, missing, said)


def _next_line(decision: Decision) -> NextLine | None:
    step = decision.next_tier
    if step is None:
        return None
    area = decision.compiled.areas[decision.area]
    name = next(tier.name for tier in area.tiers if tier.tier_id == step.tier_id)
    missing, linked = decision.missing_points, decision.facts.standing.kind == "linked"
    said = next_sentence(step, decision.compiled.scale, missing, own_scale=linked)
    return NextLine(step.tier_id, name, dict(step.gives), missing, said)


def _for_auditor(decision: Decision) -> AuditorView:
    step = decision.next_tier
    return AuditorView(
        city_id=decision.city_id,
        scenario_id=decision.scenario_id,
        version=decision.version,
        table_sha256=decision.compiled.sha256,
        scale_version=decision.compiled.scale.version,
        engine_version=ENGINE_VERSION,
        on=decision.facts.on,
        district=decision.district,
        area=decision.area,
        standing=decision.facts.standing.kind,
        outcome=decision.outcome,
        tier_ids=decision.tier_ids,
        benefit=dict(decision.benefit),
        reasons=tuple(
            AuditorReason(r.code, r.tier_id, r.verdict, dict(r.params), decision.shortfall(r)) for r in decision.reasons
        ),
        next_tier_id=None if step is None else step.tier_id,
        missing_points=decision.missing_points,
        sha256=digest(decision),
    )
