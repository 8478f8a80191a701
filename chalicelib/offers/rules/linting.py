"""The gate to review: everything that is wrong with an offer in its city, each with its place and a sentence."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

from chalicelib.cities.rules import Scheme
from chalicelib.core.errors import Fault, Problem
from chalicelib.core.text import Text
from chalicelib.offers.rules.checking import faults_of
from chalicelib.offers.rules.compiled import CompiledOffer, compile_offer
from chalicelib.offers.rules.findings import finding
from chalicelib.offers.rules.lint_prices import lint_prices
from chalicelib.offers.rules.offer import CATEGORIES, Offer
from chalicelib.scenarios.rules import USES, CompiledTable, Finding, may_publish

REWARD_CODES = frozenset({"better-worse-off", "fact-worse-off", "worse-than-without"})


class OfferLintRefused(Problem):
    code = "offer-lint-refused"
    status = 422
    title = Text("优惠未通过检查", "The linter refuses this offer")


class OfferOutOfStep(Problem):
    code = "offer-out-of-step"
    status = 409
    title = Text(
        "应用场景的规则已变更，该优惠须重新审核", "The scenario's rules have changed; this offer must be reviewed again"
    )


def lint_offer(
    offer: Offer,
    scenario: CompiledTable | None,
    scheme: Scheme,
    districts: Collection[str] | None = None,
    banks: Collection[str] | None = None,
) -> list[Finding]:
    """Everything that can be said against the offer in its city.

    The offer by itself comes first (``check_offer``); tiers and prices are judged once its words mean something.

    Args:
        scenario: The table in force of the scenario that the offer names, on the city's scale; None: there is none.
        scheme: What the rules of the score allow it to be used for.
        districts: The ids of the city's districts; None: they are not checked.
        banks: The ids of the city's banks that take part; None: they are not checked.
    """
    found = [*faults_of(offer), *_lint_funding(offer, banks)]
    if scenario is None:
        return [*found, finding("scenario-unknown", "/scenario_id")]
    found += _lint_head(offer, scenario, scheme, districts)
    if may_publish(found):
        compiled = compile_offer(offer, scenario)
        found += [*_lint_tiers(compiled), *lint_prices(compiled)]
    return found


def require_clean(findings: Collection[Finding]) -> None:
    """Returns if the offer may be reviewed and approved. Raises: OfferLintRefused: with every error, at its place."""
    if not may_publish(findings):
        raise OfferLintRefused(faults=[Fault(f.pointer, f.message) for f in findings if f.severity == "error"])


def require_in_step(compiled: CompiledOffer) -> None:
    """Returns if the offer still rewards by the table in force, which may be later than the one it was approved with.

    Ask it once for each compiled offer. Raises: OfferOutOfStep.
    """
    if any(item.code in REWARD_CODES for item in lint_prices(compiled)):
        raise OfferOutOfStep


def _lint_head(
    offer: Offer, scenario: CompiledTable, scheme: Scheme, districts: Collection[str] | None
) -> Iterator[Finding]:
    table = scenario.table
    if offer.city_id != table.city_id or offer.scenario_id != table.scenario_id:
        yield finding("city-mismatch", "/scenario_id")
    if "merchant" not in table.recipients:
        yield finding("recipient-missing", "/scenario_id")
    if offer.category in CATEGORIES:
        yield from _lint_use(offer, table.use, scheme)
    for index, district in enumerate(offer.districts):
        if districts is not None and district not in districts:
            yield finding("district-unknown", f"/districts/{index}")
        elif offer.tiers_by == "scenario" and district not in scenario.areas and None not in scenario.areas:
            yield finding("district-without-rules", f"/districts/{index}")
    last_day = (offer.valid_to - timedelta(microseconds=1)).astimezone(ZoneInfo(offer.time_zone)).date()
    if table.valid_to is not None and table.valid_to <= last_day:
        yield finding("rules-end-first", "/valid_to")


def _lint_funding(offer: Offer, banks: Collection[str] | None) -> Iterator[Finding]:
    for index, share in enumerate(offer.funding):
        if share.partner_id is not None and banks is not None and share.partner_id not in banks:
            yield finding("bank-unknown", f"/funding/{index}/partner_id")


def _lint_use(offer: Offer, scenario_use: str, scheme: Scheme) -> Iterator[Finding]:
    category = CATEGORIES[offer.category]
    use, agreed = USES[category.use], USES[scenario_use]
    if category.use != scenario_use:
        names = {"category_zh": category.name.zh, "category_en": category.name.en, "use_zh": use.zh, "use_en": use.en}
        yield finding("use-mismatch", "/category", **names, scenario_zh=agreed.zh, scenario_en=agreed.en)
    permitted = scheme.permitted_uses is None or category.use in scheme.permitted_uses
    if not permitted or category.use in scheme.forbidden_uses:
        yield finding("use-forbidden", "/category", use_zh=use.zh, use_en=use.en)


def _lint_tiers(compiled: CompiledOffer) -> Iterator[Finding]:
    by_grade = compiled.offer.tiers_by == "grade"
    for place in compiled.unknown:
        yield finding("grade-unknown" if by_grade else "tier-unknown", f"/tiers/{place}/tier")
    if by_grade:
        yield from _skipped(compiled)


def _skipped(compiled: CompiledOffer) -> Iterator[Finding]:
    below = None
    named = {tier.tier for tier in compiled.tiers.values()}
    for grade in compiled.table.scale.grades:
        if grade.name in named:
            below = grade
        elif below is not None:
            words = {"grade_zh": grade.name, "grade_en": grade.name_en, "low_zh": below.name, "low_en": below.name_en}
            yield finding("grade-skipped", "/tiers", **words)
