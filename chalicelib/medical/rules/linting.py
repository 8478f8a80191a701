"""The gate to approval: everything that is wrong with a policy in its city, each with its place and a sentence.

Whom a policy favours is said by its scenario's tiers, so these are linted along, by the scenario's own linter; a
ceiling takes from the top alone and can turn no order round.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise

from chalicelib.cities.rules import Scheme
from chalicelib.core.errors import Fault, Problem
from chalicelib.core.text import Text
from chalicelib.medical.rules.findings import finding
from chalicelib.medical.rules.policy import Policy, faults_of
from chalicelib.medical.rules.rates import RateCeiling, annualised_rate_bp, broken_ceilings, said
from chalicelib.scenarios.rules import CompiledTable, Finding, lint, may_publish

USE = "medical_credit"
SCENARIO = "/scenario_id"


class PolicyLintRefused(Problem):
    code = "medical-policy-lint-refused"
    status = 422
    title = Text("信用就医授信规则未通过检查", "The linter refuses this policy for medical credit")


def lint_policy(
    policy: Policy,
    scenario: CompiledTable | None,
    scheme: Scheme,
    ceilings: Sequence[RateCeiling],
    hospitals: Collection[str] | None = None,
) -> list[Finding]:
    """Everything that can be said against the policy in its city. What its scenario's linter says stands at
    ``/scenario_id``, followed by the place within the scenario's table.

    Args:
        scenario: The table in force on ``policy.valid_from`` of the scenario that the policy names; None: there is
            none.
        scheme: What the rules of the score allow it to be used for.
        ceilings: What credit of this lender may cost a year, as far as it is known; none: a warning says so.
        hospitals: The ids of the city's hospitals that take part; None: they are not checked.
    """
    found = [*faults_of(policy), *_lint_hospitals(policy, hospitals)]
    if scenario is None or not scenario.table.in_force(policy.valid_from):
        return [*found, finding("scenario-unknown", SCENARIO)]
    found += _lint_head(policy, scenario)
    found += [
        replace(item, pointer=SCENARIO + item.pointer) for item in lint(scenario.table, scenario.scale, scheme)
    ]  # fmt: skip
    if may_publish(found):
        found += [*_lint_limits(policy, scenario), *_lint_rate(policy, ceilings)]
    return found


def require_clean(findings: Collection[Finding]) -> None:
    """Returns if the policy may be reviewed and approved. Raises: PolicyLintRefused: with every error, at its place."""
    if not may_publish(findings):
        raise PolicyLintRefused(faults=[Fault(f.pointer, f.message) for f in findings if f.severity == "error"])


def lint_policies(policies: Sequence[Policy]) -> list[Finding]:
    """What versions of one bank's policy say against each other: one is in force a day. Pointers start at the index."""
    found = []
    for index, policy in enumerate(policies):
        for other in policies[:index]:
            if policy.version == other.version:
                found.append(finding("version-repeated", f"/{index}/version", a=policy.version))
            if max(policy.valid_from, other.valid_from) < min(_end(policy), _end(other)):
                found.append(finding("versions-overlap", f"/{index}/valid_from", a=other.version, b=policy.version))
    return found or [*_gaps(policies)]


def _gaps(policies: Sequence[Policy]) -> Iterator[Finding]:
    places = sorted(range(len(policies)), key=lambda index: policies[index].valid_from)
    for before, after in pairwise(places):
        if _end(policies[before]) < policies[after].valid_from:
            versions = {"a": policies[before].version, "b": policies[after].version}
            yield finding("versions-gap", f"/{after}/valid_from", **versions)


def _end(policy: Policy) -> date:
    return policy.valid_to or date.max


def _lint_hospitals(policy: Policy, hospitals: Collection[str] | None) -> Iterator[Finding]:
    for index, hospital_id in enumerate(policy.hospitals or ()):
        if hospitals is not None and hospital_id not in hospitals:
            yield finding("hospital-unknown", f"/hospitals/{index}")


def _lint_head(policy: Policy, scenario: CompiledTable) -> Iterator[Finding]:
    table = scenario.table
    if table.city_id != policy.city_id:
        yield finding("city-mismatch", SCENARIO)
    if table.use != USE:
        yield finding("use-mismatch", SCENARIO)
    if not {"bank", "hospital"} <= set(table.recipients):
        yield finding("recipient-missing", SCENARIO)
    if table.valid_to is not None and (policy.valid_to is None or table.valid_to < policy.valid_to):
        yield finding("rules-end-first", "/valid_to")


def _lint_limits(policy: Policy, scenario: CompiledTable) -> Iterator[Finding]:
    for area in scenario.areas.values():
        for tier in area.tiers:
            names = {"tier_zh": tier.name.zh, "tier_en": tier.name.en}
            limit_fen = {**area.without, **tier.benefit}.get("limit_fen")
            if limit_fen is None:
                yield finding("limit-missing", SCENARIO + tier.pointer, **names)
            elif limit_fen > policy.ceiling_fen:
                yield finding("tier-capped", "/ceiling_fen", **names)


def _lint_rate(policy: Policy, ceilings: Sequence[RateCeiling]) -> Iterator[Finding]:
    if not ceilings:
        yield finding("ceiling-unknown", "/daily_rate_ppm")
    for ceiling in broken_ceilings(policy, ceilings):
        rates = {"rate": said(annualised_rate_bp(policy)), "most": said(ceiling.annual_bp)}
        yield finding("rate-above-ceiling", "/daily_rate_ppm", since=ceiling.valid_from, **rates)
