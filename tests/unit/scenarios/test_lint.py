"""Every finding of the linter, each with the least table that has it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.cities.rules import Scale, Scheme
from chalicelib.scenarios.rules import Finding, lint, lint_versions, linting, may_publish, parse_table
from chalicelib.scenarios.rules.findings import CODES
from chalicelib.scenarios.rules.linting import MAX_FINDINGS

Draft = Callable[..., dict[str, Any]]
FREE = Scheme()
T = "/areas/0/tiers"


def row(tier_id: str, when: Any, **benefit: int | bool) -> dict[str, Any]:
    return {"tier_id": tier_id, "name": {"zh": f"{tier_id}档", "en": tier_id}, "when": when, "benefit": benefit}


def score(**edges: int) -> dict[str, Any]:
    return {"score": edges}


def fact(name: str) -> dict[str, Any]:
    return {"attribute": {"is": name}}


def by_grade(amounts: dict[str, int], unit: str = "discount_bp", **without: int) -> list[dict[str, Any]]:
    return [{"district": None, "by_grade": amounts, "unit": unit, "without": without}]


def places(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.code, finding.pointer) for finding in findings]


# What is changed in an otherwise faultless draft, its rows, and everything the linter then says.
Case = tuple[dict[str, Any], list[dict[str, Any]], list[tuple[str, str]]]
GOOD = row("t", score(ge=600), discount_bp=1000)
CASES: dict[str, Case] = {
    "faultless": ({}, [GOOD], []),
    "nested thresholds are meant to overlap": ({}, [GOOD, row("u", score(ge=700), discount_bp=2000)], []),
    "a clean partition": (
        {},
        [
            row("low", score(ge=500, lt=600), discount_bp=500),
            row("mid", score(ge=600, lt=700), discount_bp=1000),
            row("top", score(ge=700), discount_bp=2000),
        ],
        [],
    ),
    "city": ({"city_id": "hangzhou"}, [GOOD], [("city-mismatch", "/city_id")]),
    "ends as it starts": ({"valid_to": "2025-01-01"}, [GOOD], [("dates-contradict", "/valid_to")]),
    "ends before it starts": ({"valid_to": "2024-01-01"}, [GOOD], [("dates-contradict", "/valid_to")]),
    "over the scale": ({}, [row("t", score(ge=1001))], [("threshold-off-scale", f"{T}/0/when/score/ge")]),
    "under the scale": ({}, [row("t", score(lt=-1))], [("threshold-off-scale", f"{T}/0/when/score/lt")]),
    "beyond the best score": ({}, [row("t", score(gt=1000))], [("threshold-beyond-reach", f"{T}/0/when/score/gt")]),
    "grade": ({}, [row("t", {"grade": {"is": "AAA"}})], [("grade-unknown", f"{T}/0/when/grade/is")]),
    "grade in the short form": (
        {"areas": by_grade({"良好": 500, "A/A": 900})},
        [],
        [
            ("grade-unknown", "/areas/0/by_grade/A~1A"),
            ("grade-skipped", "/areas/0/by_grade"),
            ("grade-skipped", "/areas/0/by_grade"),
        ],
    ),
    "benefit": ({}, [row("t", score(ge=1), magic=3)], [("benefit-unknown", f"{T}/0/benefit/magic")]),
    "benefit of the short form": (
        {"areas": by_grade({"极好": 1}, unit="magic")},
        [],
        [("benefit-unknown", "/areas/0/unit")],
    ),
    "amount": ({}, [row("t", score(ge=1), discount_bp=10_001)], [("benefit-value", f"{T}/0/benefit/discount_bp")]),
    "amount of the short form": (
        {"areas": by_grade({"极好": -1})},
        [],
        [("benefit-value", "/areas/0/by_grade/极好")],
    ),
    "yes or no in the short form": (
        {"areas": by_grade({"极好": 1}, unit="priority")},
        [],
        [("benefit-value", "/areas/0/by_grade/极好")],
    ),
    "yes or no": ({}, [row("t", score(ge=1), pay_later=1)], [("benefit-value", f"{T}/0/benefit/pay_later")]),
    "skipped grade": (
        {"areas": by_grade({"一般": 500, "良好": 800, "极好": 900})},
        [],
        [("grade-skipped", "/areas/0/by_grade")],
    ),
    "religion": ({}, [row("t", fact("has_religion"))], [("fact-forbidden", f"{T}/0/when/attribute/is")]),
    "blood type": ({}, [row("t", fact("blood-type-a"))], [("fact-forbidden", f"{T}/0/when/attribute/is")]),
    "blood donors are not blood types": (
        {},
        [row("t", fact("blood_donor"))],
        [("fact-without-source", f"{T}/0/when/attribute/is")],
    ),
    "medical history, deep inside": (
        {},
        [row("t", {"any": [score(ge=600), {"all": [fact("medical_history"), score(ge=1)]}]})],
        [("fact-forbidden", f"{T}/0/when/any/1/all/0/attribute/is")],
    ),
    "income": (
        {},
        [row("t", fact("income_over_5000"))],
        [("fact-needs-consent", f"{T}/0/when/attribute/is"), ("fact-without-source", f"{T}/0/when/attribute/is")],
    ),
    "an amount to pay without a list price": (
        {},
        [row("t", score(ge=600), price_fen=900)],
        [("baseline-missing", f"{T}/0/benefit/price_fen")],
    ),
    "a price above the list price": (
        {"without": {"price_fen": 800}},
        [row("t", score(ge=600), price_fen=900)],
        [("worse-than-without", f"{T}/0"), ("better-worse-off", f"{T}/0")],
    ),
    "gap": (
        {},
        [row("low", score(ge=500, lt=600)), row("top", score(gt=600))],
        [("gap", T)],
    ),
    "overlap at an edge": (
        {},
        [row("low", score(ge=500, le=600), discount_bp=500), row("top", score(ge=600), discount_bp=900)],
        [("overlap", f"{T}/1")],
    ),
    "an overlap with the same benefit hurts nobody": (
        {},
        [row("low", score(ge=500, le=600), discount_bp=500), row("top", score(ge=600), discount_bp=500)],
        [],
    ),
    "cumulative tiers may overlap": (
        {"cumulative": True},
        [row("low", score(ge=500, le=1000), discount_bp=500), row("top", score(ge=600), free_minutes=5)],
        [],
    ),
    "nobody is above and below": ({}, [row("t", score(gt=600, lt=600))], [("unreachable", f"{T}/0")]),
    "nobody has two grades": (
        {},
        [row("t", {"all": [{"grade": {"is": "良好"}}, {"grade": {"is": "优秀"}}]})],
        [("unreachable", f"{T}/0")],
    ),
    "always behind a later row": (
        {},
        [row("a", score(ge=700), discount_bp=900), row("b", score(ge=600), discount_bp=900)],
        [("shadowed", f"{T}/0")],
    ),
    "a better grade pays more": (
        {"areas": by_grade({"一般": 500, "良好": 1000, "优秀": 800, "极好": 5000})},
        [],
        [("better-worse-off", "/areas/0/by_grade/优秀")],
    ),
    "a tier takes away what a lower one gave": (
        {},
        [row("low", score(ge=500), pay_later=True), row("top", score(ge=600), free_minutes=30)],
        [("better-worse-off", f"{T}/1")],
    ),
    "a range that ends too early": (
        {},
        [row("t", score(ge=500, lt=900), discount_bp=500)],
        [("gap", T), ("better-worse-off", "/areas/0/without")],
    ),
    "less than people without a score": (
        {"without": {"free_minutes": 15}},
        [row("t", score(ge=600), free_minutes=10)],
        [("worse-than-without", f"{T}/0"), ("better-worse-off", f"{T}/0")],
    ),
    "a low score punished": (
        {"without": {"deposit_fen": 10_000}},
        [row("bad", score(lt=500), deposit_fen=50_000)],
        [("gap", T), ("worse-than-without", f"{T}/0")],
    ),
    "an honest person in a worse row": (
        {},
        [
            row("t", score(ge=600), discount_bp=900),
            row("honest", {"all": [score(ge=600), fact("honest")]}, discount_bp=5),
        ],
        [("fact-without-source", f"{T}/1/when/all/1/attribute/is"), ("fact-worse-off", f"{T}/1")],
    ),
    "a resident in a worse row": (
        {},
        [
            row("t", score(ge=600), discount_bp=900),
            row("here", {"all": [score(ge=600), {"resident": True}]}, discount_bp=5),
        ],
        [("fact-worse-off", f"{T}/1")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_linter_says_this_and_nothing_else(draft: Draft, scale: Scale, name: str) -> None:
    changes, rows, expected = CASES[name]
    found = lint(parse_table(draft(*rows, **changes)), scale, FREE)
    assert places(found) == expected


def test_gap_is_not_reported_where_only_the_worst_scores_have_no_tier(draft: Draft, scale: Scale) -> None:
    assert lint(parse_table(draft(row("t", score(ge=999)))), scale, FREE) == []


def test_two_gaps_are_two(draft: Draft, scale: Scale) -> None:
    rows = [row("a", score(ge=100, lt=200)), row("b", score(ge=300, lt=400)), row("c", score(ge=500))]
    found = [finding.message.zh[:9] for finding in lint(parse_table(draft(*rows)), scale, FREE)]
    assert found == ["200 至 299", "400 至 499"]


def test_a_gap_and_an_overlap_are_told_whole_whatever_thresholds_lie_inside(draft: Draft, scale: Scale) -> None:
    inside = row("free", {"all": [score(ge=540), fact("honest")]}, discount_bp=900)
    rows = [row("low", score(ge=400, lt=500), discount_bp=500), row("top", score(ge=600), discount_bp=900), inside]
    gaps = [finding for finding in lint(parse_table(draft(*rows)), scale, FREE) if finding.code == "gap"]
    assert [gap.message.zh[:9] for gap in gaps] == ["500 至 599", "500 至 539"]
    rows = [row("low", score(ge=400, lt=600), discount_bp=500), inside, row("top", score(ge=500), discount_bp=900)]
    found = [finding for finding in lint(parse_table(draft(*rows)), scale, FREE) if finding.code == "overlap"]
    assert ("overlap", f"{T}/2") in places(found)
    assert any(finding.message.zh.startswith("500 至 599 分同时落在“low档”和“top档”") for finding in found)


@pytest.mark.parametrize(
    ("scheme", "codes"),
    [
        (Scheme(), []),
        (Scheme(permitted_uses=("parking", "library")), []),
        (Scheme(permitted_uses=("library",)), [("use-forbidden", "/use")]),
        (Scheme(permitted_uses=()), [("use-forbidden", "/use")]),
        (Scheme(forbidden_uses=("parking",)), [("use-forbidden", "/use")]),
        (Scheme(permitted_uses=("parking",), forbidden_uses=("parking",)), [("use-forbidden", "/use")]),
    ],
)
def test_a_use_that_the_scheme_forbids(
    draft: Draft, scale: Scale, scheme: Scheme, codes: list[tuple[str, str]]
) -> None:
    assert places(lint(parse_table(draft(GOOD)), scale, scheme)) == codes


def test_a_fact_that_this_citys_own_rules_forbid(draft: Draft, scale: Scale) -> None:
    table = parse_table(draft(row("t", fact("party_member"))))
    found = lint(table, scale, FREE, None, {"party_member"})
    assert places(found) == [("fact-forbidden", f"{T}/0/when/attribute/is")]


def test_a_district_that_the_city_does_not_have(draft: Draft, scale: Scale) -> None:
    document = draft(GOOD)
    document["areas"].append(document["areas"][0] | {"district": "atlantis"})
    table = parse_table(document)
    assert places(lint(table, scale, FREE, {"haicang"})) == [("district-unknown", "/areas/1/district")]
    assert lint(table, scale, FREE) == []


def test_a_threshold_off_the_grid(draft: Draft, scale: Scale) -> None:
    coarse = replace(scale, step=5, grades=())
    found = lint(parse_table(draft(row("t", score(ge=603)))), coarse, FREE)
    assert places(found) == [("threshold-off-scale", f"{T}/0/when/score/ge")]
    assert "5" in found[0].message.en


def test_two_versions_may_not_be_in_force_on_one_day(draft: Draft) -> None:
    def version(number: int, valid_from: str, valid_to: str | None, **top: Any) -> Any:
        return parse_table(draft(GOOD, version=number, valid_from=valid_from, valid_to=valid_to, **top))

    first, second = version(1, "2025-01-01", "2025-07-01"), version(2, "2025-07-01", None)
    assert lint_versions([first, second]) == []
    early = version(2, "2025-06-30", None)
    assert places(lint_versions([first, early])) == [("versions-overlap", "/1/valid_from")]
    assert places(lint_versions([second, version(2, "2024-01-01", "2024-02-01")])) == [
        ("version-repeated", "/1/version")
    ]
    assert lint_versions([first, version(1, "2025-01-01", None, scenario_id="other")]) == []


def test_every_code_has_a_case() -> None:
    told = {code for _, _, expected in CASES.values() for code, _ in expected}
    elsewhere = {"use-forbidden", "district-unknown", "versions-overlap", "version-repeated", "more-findings"}
    assert told | elsewhere == CODES


def test_only_errors_bar_publication(draft: Draft, scale: Scale) -> None:
    doubtful = lint(parse_table(draft(row("t", fact("tax_paid")))), scale, FREE)
    wrong = lint(parse_table(draft(row("t", fact("disease_free")))), scale, FREE)
    assert [finding.severity for finding in doubtful] == ["warning", "warning"]
    assert [finding.severity for finding in wrong] == ["error"]
    assert may_publish(doubtful)
    assert not may_publish(wrong)


def test_the_sentence_names_people_grades_and_amounts(draft: Draft, scale: Scale) -> None:
    amounts = {"一般": 500, "良好": 1000, "优秀": 800, "极好": 5000}
    (finding,) = lint(parse_table(draft(areas=by_grade(amounts))), scale, FREE)
    assert finding.message.zh == (
        "“优秀”（620 至 679 分）得到“九二折”，不如“良好”（560 至 619 分）的“九折”：分数更好，待遇反而更差"
    )
    assert finding.message.en == (
        "“Very good” (620 to 679) get “8 % off”, less than the “10 % off” of “Good” (560 to 619): "
        "a better score would be worse off"
    )


@pytest.mark.parametrize("name", CASES)
def test_every_sentence_is_filled_in_and_in_both_languages(draft: Draft, scale: Scale, name: str) -> None:
    changes, rows, _ = CASES[name]
    for finding in lint(parse_table(draft(*rows, **changes)), scale, FREE):
        assert finding.message.zh
        assert finding.message.en
        assert "{" not in finding.message.zh + finding.message.en


def test_on_a_scale_whose_lower_scores_are_better_ranges_are_told_as_published(draft: Draft, scale: Scale) -> None:
    lower = replace(scale, direction="lower_is_better", grades=())
    rows = [row("low", score(ge=400, lt=300)), row("top", score(gt=300))]
    (gap,) = lint(parse_table(draft(*rows)), lower, FREE)
    assert (gap.code, gap.message.en) == ("gap", "Scores from 300 to 300 get no tier although worse ones do")


def test_a_wrong_value_is_told_what_its_field_takes(draft: Draft, scale: Scale) -> None:
    found = lint(parse_table(draft(row("t", score(ge=1), pay_later=1, discount_bp=True))), scale, FREE)
    assert [(finding.message.zh, finding.message.en) for finding in found] == [
        ("该优惠项目的取值应为true 或 false", "This benefit takes true or false"),
        ("该优惠项目的取值应为0 至 10000 的整数", "This benefit takes a whole number from 0 to 10000"),
    ]


def test_the_day_a_table_ends_is_told_as_the_first_without_it(draft: Draft, scale: Scale) -> None:
    (finding,) = lint(parse_table(draft(GOOD, valid_to="2025-01-01")), scale, FREE)
    assert finding.message.zh == "失效日（当天不再生效）必须晚于生效日"
    assert finding.message.en == "The day it ends must come after the day it begins"


def test_people_are_told_in_the_middle_of_a_sentence_too(draft: Draft, scale: Scale) -> None:
    found = lint(parse_table(draft(row("t", score(ge=510, lt=900), discount_bp=500))), scale, FREE)
    assert found[-1].message.en == (
        "People with 900 to 1000 points get “none”, less than the “5 % off” of people with 510 to 899 points: "
        "a better score would be worse off"
    )


def bad_table(draft: Draft) -> dict[str, Any]:
    """As many areas, tiers, conditions and facts as a table may have, in no order: 60 KB and 2,000 findings."""
    cut = iter(range(1, 1_000, 3))
    areas: list[dict[str, Any]]
    rows = []
    for number in range(12):
        ranges = [score(ge=low, lt=1_000 - low) for low in (next(cut) for _ in range(5))]
        rows.append(row(f"t{number}", {"any": [*ranges, fact(f"fact_{number % 4}")]}, discount_bp=number + 1))
    areas = [{"district": f"d{n}" if n else None, "cumulative": False, "tiers": rows, "without": {}} for n in range(16)]
    return draft(areas=areas)


def test_the_largest_table_is_judged_in_bounded_work_and_told_in_200_findings(draft: Draft, scale: Scale) -> None:
    table = parse_table(bad_table(draft))
    calls = 0

    def count(_frame: Any, event: str, _arg: Any) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        found = lint(table, scale, FREE)
    finally:
        sys.setprofile(None)
    assert len(found) == MAX_FINDINGS
    assert {finding.severity for finding in found[:-1]} == {"error"}
    assert found[-1].code == "more-findings"
    assert not may_publish(found)
    assert calls < 400_000


def test_as_many_findings_as_can_be_told_are_told_in_order(
    draft: Draft, scale: Scale, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row("t", fact("honest")), row("a", fact("tax")), row("b", score(ge=2_000)), row("c", score(gt=1_000))]
    table = parse_table(draft(*rows))
    codes = [finding.code for finding in lint(table, scale, FREE)]
    assert codes == [
        *("fact-without-source", "fact-needs-consent", "fact-without-source"),
        *("threshold-off-scale", "threshold-beyond-reach"),
    ]
    monkeypatch.setattr(linting, "MAX_FINDINGS", 5)
    assert [finding.code for finding in lint(table, scale, FREE)] == codes
    monkeypatch.setattr(linting, "MAX_FINDINGS", 4)
    cut = lint(table, scale, FREE)
    assert places(cut) == [
        ("threshold-off-scale", f"{T}/2/when/score/ge"),
        ("threshold-beyond-reach", f"{T}/3/when/score/gt"),
        ("fact-without-source", f"{T}/0/when/attribute/is"),
        ("more-findings", ""),
    ]
    assert cut[-1].message.zh == "另有 2 项问题未列出"
