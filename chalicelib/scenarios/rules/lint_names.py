"""Linting word by word: names, values and uses, each judged alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from chalicelib.cities.rules import Scale, Scheme
from chalicelib.scenarios.rules.benefits import FIELDS, Benefit, BenefitField
from chalicelib.scenarios.rules.compiled import unknown_grades
from chalicelib.scenarios.rules.conditions import AttributeIs, Leaf, ScoreIs, leaves
from chalicelib.scenarios.rules.findings import Finding, finding
from chalicelib.scenarios.rules.reading import escaped
from chalicelib.scenarios.rules.tables import USES, Area, TierTable

PROHIBITED_FACTS = frozenset(
    {"religion", "religious", "gene", "genes", "genetic", "fingerprint", "fingerprints", "blood_type"}
    | {"disease", "diseases", "medical_history"}
)
CONSENT_FACTS = frozenset(
    {"income", "deposit", "deposits", "savings", "securities", "insurance", "real_estate", "tax", "taxes"}
)


def lint_head(table: TierTable, scale: Scale, scheme: Scheme) -> Iterator[Finding]:
    """City, dates and use."""
    if table.city_id != scale.city_id:
        yield finding("city-mismatch", "/city_id")
    if table.valid_to is not None and table.valid_to <= table.valid_from:
        yield finding("dates-contradict", "/valid_to")
    permitted = scheme.permitted_uses is None or table.use in scheme.permitted_uses
    if not permitted or table.use in scheme.forbidden_uses:
        yield finding("use-forbidden", "/use", use_zh=USES[table.use].zh, use_en=USES[table.use].en)


def lint_words(
    table: TierTable, scale: Scale, districts: Collection[str] | None, forbidden_facts: Collection[str]
) -> Iterator[Finding]:
    """Districts, grades, thresholds, facts and benefits, in the order of the document."""
    yield from (finding("grade-unknown", pointer) for pointer in unknown_grades(table, scale))
    for index, area in enumerate(table.areas):
        at = f"/areas/{index}"
        if districts is not None and area.district is not None and area.district not in districts:
            yield finding("district-unknown", f"{at}/district")
        yield from _lint_by_grade(area, scale, at)
        for number, tier in enumerate(area.tiers):
            for pointer, leaf in leaves(tier.when, f"{at}/tiers/{number}/when"):
                yield from _lint_leaf(leaf, scale, forbidden_facts, pointer)
            yield from lint_benefit(tier.benefit, f"{at}/tiers/{number}/benefit")
            yield from _lint_baseline(tier.benefit, area.without, f"{at}/tiers/{number}/benefit")
        yield from lint_benefit(area.without, f"{at}/without")


def lint_benefit(benefit: Benefit, at: str) -> Iterator[Finding]:
    """Fields that do not exist, and values that their field does not take."""
    for name, value in benefit.items():
        field = FIELDS.get(name)
        if field is None:
            yield finding("benefit-unknown", f"{at}/{escaped(name)}")
        elif not field.allows(value):
            yield _bad_value(field, f"{at}/{name}")


def _bad_value(field: BenefitField, at: str) -> Finding:
    return finding("benefit-value", at, takes_zh=field.takes.zh, takes_en=field.takes.en)


def _lint_baseline(benefit: Benefit, without: Benefit, at: str) -> Iterator[Finding]:
    for name, value in benefit.items():
        if name in FIELDS and FIELDS[name].better == "less" and value > 0 and name not in without:
            yield finding("baseline-missing", f"{at}/{name}", field=name)


def _lint_by_grade(area: Area, scale: Scale, at: str) -> Iterator[Finding]:
    if area.by_grade is None:
        return
    unit, amounts = area.by_grade.unit, area.by_grade.amounts
    if unit not in FIELDS:
        yield finding("benefit-unknown", f"{at}/unit")
        return
    for name, amount in amounts.items():
        if not FIELDS[unit].allows(amount):
            yield _bad_value(FIELDS[unit], f"{at}/by_grade/{escaped(name)}")
        yield from _lint_baseline({unit: amount}, area.without, f"{at}/by_grade/{escaped(name)}")
    named = None
    for grade in scale.grades:
        if grade.name in amounts:
            named = grade
        elif named is not None:
            words = {"grade_zh": grade.name, "grade_en": grade.name_en, "low_zh": named.name, "low_en": named.name_en}
            yield finding("grade-skipped", f"{at}/by_grade", **words)


def _lint_leaf(leaf: Leaf, scale: Scale, forbidden: Collection[str], pointer: str) -> Iterator[Finding]:
    if isinstance(leaf, ScoreIs):
        for edge, bound in ((leaf.low_edge, leaf.low), (leaf.high_edge, leaf.high)):
            if bound is not None:
                yield from _lint_threshold(edge, bound, scale, f"{pointer}/score/{edge}")
    elif isinstance(leaf, AttributeIs):
        yield from _lint_fact(leaf.name, forbidden, f"{pointer}/attribute/is")


def _lint_threshold(edge: str, bound: int, scale: Scale, pointer: str) -> Iterator[Finding]:
    if not scale.minimum <= bound <= scale.maximum or (bound - scale.minimum) % scale.step:
        yield finding("threshold-off-scale", pointer, lo=scale.minimum, hi=scale.maximum, step=scale.step)
    elif edge == "gt" and scale.threshold(bound, "gt") > scale.maximum:
        yield finding("threshold-beyond-reach", pointer)


def _lint_fact(name: str, forbidden: Collection[str], pointer: str) -> Iterator[Finding]:
    if name in forbidden or _mentions(name, PROHIBITED_FACTS):
        yield finding("fact-forbidden", pointer)
        return
    if _mentions(name, CONSENT_FACTS):
        yield finding("fact-needs-consent", pointer)
    yield finding("fact-without-source", pointer)


def _mentions(name: str, words: Collection[str]) -> bool:
    return any(f"_{word}_" in f"_{name.replace('-', '_')}_" for word in words)
