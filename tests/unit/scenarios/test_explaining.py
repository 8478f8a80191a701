from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date
from typing import Any

import pytest

from chalicelib.cities.rules import Scale
from chalicelib.core.text import Text
from chalicelib.scenarios.rules import (
    CompiledTable,
    Decision,
    Facts,
    GradeStanding,
    LinkedStanding,
    NoStanding,
    ResidentStanding,
    Standing,
    compile_table,
    decide,
    digest,
    explain,
    parse_table,
)
from chalicelib.scenarios.rules.rulings import Reason
from chalicelib.scenarios.rules.standings import NoStandingReason
from chalicelib.scenarios.rules.wording import condition_words

ON = date(2025, 6, 1)
Compiled = Callable[[str], CompiledTable]
Draft = Callable[..., dict[str, Any]]


def of(table: CompiledTable, standing: Standing, district: str | None = None, **attributes: bool) -> Decision:
    return decide(table, Facts(ON, district, standing, attributes, standing.kind == "resident"))


def test_the_citizen_is_told_everything_in_both_languages(compiled: Compiled) -> None:
    view = explain(of(compiled("i_chewei_parking"), ResidentStanding(612)), "citizen")
    assert view.said.zh == "暂不符合条件"
    (reason,) = view.reasons
    assert (reason.said.zh, reason.said.en) == (
        "白鹭分达到 650 分：还差 38 分",
        "Egret score of at least 650: 38 points short",
    )
    assert reason.missing_points == 38
    assert view.next_tier is not None
    assert (view.next_tier.said.zh, view.next_tier.said.en) == (
        "再增加 38 分，可享：先享后付",
        "With 38 more points: use now, pay later",
    )


def test_the_benefit_is_told_line_by_line(compiled: Compiled) -> None:
    view = explain(of(compiled("roadside_parking"), ResidentStanding(693), "haicang"), "citizen")
    assert [(line.field, line.said.zh) for line in view.benefit] == [
        ("discount_bp", "九折"),
        ("free_minutes", "免费时长 30 分钟"),
        ("pay_later", "先享后付"),
    ]
    assert [reason.said.zh for reason in view.reasons] == ["白鹭分达到 530 分：已满足", "白鹭分达到 680 分：已满足"]
    assert view.next_tier is None


def test_one_point_is_not_points(compiled: Compiled) -> None:
    view = explain(of(compiled("bicycle"), ResidentStanding(680), "island"), "citizen")
    assert view.reasons[0].said.en == "Egret score above 680: 1 point short"
    assert view.next_tier is not None
    assert view.next_tier.said.en == "With 1 more point: no deposit"


def test_a_visitor_is_told_the_hosts_cut_and_the_distance_on_his_own_scale(compiled: Compiled) -> None:
    standing = LinkedStanding(705, lambda threshold: threshold <= 637, lambda _: 718)
    (reason,) = explain(of(compiled("i_chewei_parking"), standing), "citizen").reasons
    assert reason.said.zh == "白鹭分达到 650 分（按互认换算）：按您所在城市的分制还差 13 分"
    assert reason.said.en == (
        "Egret score of at least 650 (by mutual recognition): 13 points away on your own city's scale"
    )
    (met,) = explain(of(compiled("library"), standing), "citizen").reasons
    assert met.said.zh == "白鹭分达到 600 分（按互认换算）：已满足"


def test_a_visitors_points_to_the_next_tier_are_said_to_be_his_own_scales(compiled: Compiled) -> None:
    standing = LinkedStanding(705, lambda threshold: threshold <= 637, lambda _: 718)
    step = explain(of(compiled("i_chewei_parking"), standing), "citizen").next_tier
    assert step is not None
    assert step.said.zh == "按您所在城市的分制再改善 13 分，可享：先享后付"
    assert step.said.en == "With a score 13 points better on your own city's scale: use now, pay later"


@pytest.mark.parametrize(
    ("score", "reasons", "ahead"),
    [
        (
            35,
            [
                ("风险分不超过 30 分：高出 5 分", "Risk score of at most 30: 5 points too many"),
                ("风险分低于 10 分：高出 26 分", "Risk score below 10: 26 points too many"),
                ("风险分超过 80 分：未满足", "Risk score above 80: not met"),
                ("风险分达到 60 分：未满足", "Risk score of at least 60: not met"),
            ],
            ("再降低 5 分，可享：九五折", "With 5 points fewer: 5 % off"),
        ),
        (
            10,
            [
                ("风险分不超过 30 分：已满足", "Risk score of at most 30: met"),
                ("风险分低于 10 分：高出 1 分", "Risk score below 10: 1 point too many"),
                ("风险分超过 80 分：未满足", "Risk score above 80: not met"),
                ("风险分达到 60 分：未满足", "Risk score of at least 60: not met"),
            ],
            ("再降低 1 分，可享：九折", "With 1 point fewer: 10 % off"),
        ),
    ],
)
def test_where_a_lower_score_is_better_the_words_say_so(
    draft: Draft, tier: Draft, scale: Scale, score: int, reasons: list[tuple[str, str]], ahead: tuple[str, str]
) -> None:
    name = Text("风险分", "Risk score")
    risk = replace(scale, score_name=name, maximum=100, direction="lower_is_better", grades=())
    rows = (
        tier("a", {"score": {"ge": 30}}, discount_bp=500),
        tier("b", {"score": {"gt": 10}}, discount_bp=1000),
        tier("c", {"score": {"lt": 80}}),
        tier("d", {"score": {"le": 60}}),
    )
    table = compile_table(parse_table(draft(*rows, cumulative=True)), risk)
    view = explain(of(table, ResidentStanding.of(risk, score)), "citizen")
    assert [(reason.said.zh, reason.said.en) for reason in view.reasons] == reasons
    assert view.next_tier is not None
    assert (view.next_tier.said.zh, view.next_tier.said.en) == ahead


def test_where_only_facts_are_missing_no_points_are_asked_for(draft: Draft, tier: Draft, scale: Scale) -> None:
    table = compile_table(parse_table(draft(tier("t", {"attribute": {"is": "honest"}}, priority=True))), scale)
    step = explain(of(table, ResidentStanding(700)), "citizen").next_tier
    assert step is not None
    assert step.said.zh == "满足其余条件后，可享：优先办理（绿色通道）"
    assert step.said.en == "With the other conditions met: served first (green channel)"


@pytest.mark.parametrize(("name", "invented"), [("library", False), ("credit_medical", True)])
def test_invented_figures_are_said_to_be_invented(compiled: Compiled, name: str, invented: bool) -> None:
    decision = of(compiled(name), ResidentStanding(612))
    assert explain(decision, "citizen").illustrative is invented
    assert explain(decision, "partner").illustrative is invented


def test_what_is_not_known_is_said_to_be_not_known(compiled: Compiled, scale: Scale) -> None:
    view = explain(of(compiled("library"), GradeStanding.of(scale, "良好")), "citizen")
    assert (view.outcome, view.said.zh) == ("unknown", "还有条件待确认")
    assert view.reasons[0].said.zh == "白鹭分达到 600 分：尚未确认"
    assert view.next_tier is not None
    assert view.next_tier.said.zh == "下一档可享：免押金，一次可借 40 册"
    assert view.next_tier.said.en == "The next tier gives: no deposit, up to 40 books at once"


def test_facts_are_called_by_the_names_the_table_gives_them(draft: Draft, tier: Draft, scale: Scale) -> None:
    when = {"all": [{"score": {"ge": 600}}, {"attribute": {"is": "honest_model"}}, {"attribute": {"is": "other"}}]}
    facts = {"honest_model": {"zh": "诚信典型", "en": "Honesty role model"}}
    table = compile_table(parse_table(draft(tier("t", when, priority=True), facts=facts)), scale)
    view = explain(of(table, ResidentStanding(590), honest_model=False, other=True), "citizen")
    assert [reason.said.zh for reason in view.reasons] == [
        "白鹭分达到 600 分：还差 10 分",
        "诚信典型：未满足",
        "other：已满足",
    ]
    assert view.next_tier is not None
    assert view.next_tier.said.zh == "再增加 10 分并满足其余条件，可享：优先办理（绿色通道）"
    assert view.next_tier.said.en == "With 10 more points and the other conditions met: served first (green channel)"


@pytest.mark.parametrize(
    ("code", "params", "zh", "en"),
    [
        ("score_gt", {"gt": 680}, "白鹭分超过 680 分", "Egret score above 680"),
        (
            "score_within",
            {"ge": 530, "lt": 680},
            "白鹭分达到 530 分且低于 680 分",
            "Egret score of at least 530 and below 680",
        ),
        ("score_within", {"le": 680}, "白鹭分不超过 680 分", "Egret score of at most 680"),
        ("grade_at_least", {"grade": "良好"}, "信用等级达到“良好”", "Grade “Good” or better"),
        ("grade_is", {"grade": "良好"}, "信用等级为“良好”", "Grade “Good”"),
        ("resident", {}, "持有本市信用分", "A score of this city"),
    ],
)
def test_every_kind_of_condition_has_words(
    scale: Scale, code: str, params: dict[str, int | str], zh: str, en: str
) -> None:
    said = condition_words(Reason(code, "t", True, params), scale, {})
    assert (said.zh, said.en) == (zh, en)


@pytest.mark.parametrize("why", ["no_score", "no_agreement", "not_linked", "suspended", "score_too_old"])
def test_why_there_is_no_score_is_told_to_the_citizen_and_not_to_the_partner(
    compiled: Compiled, why: NoStandingReason
) -> None:
    decision = of(compiled("roadside_parking"), NoStanding(why), "haicang")
    first = explain(decision, "citizen").reasons[0]
    assert first.code == why
    assert first.said.zh
    low = of(compiled("roadside_parking"), ResidentStanding(525), "haicang")
    assert explain(decision, "partner") == explain(low, "partner")


def test_what_the_table_itself_refuses_is_told_to_everybody(compiled: Compiled) -> None:
    decision = of(compiled("bicycle"), ResidentStanding(700), "jimei")
    assert explain(decision, "partner").codes == ("no_area_for_district",)
    assert explain(decision, "citizen").reasons[0].said.zh == "本区没有这项优惠"
    nowhere = of(compiled("bicycle"), ResidentStanding(700))
    assert explain(nowhere, "partner").codes == ("district_needed",)
    view = explain(nowhere, "citizen")
    assert (view.said, view.reasons[0].code) == (view.reasons[0].said, "district_needed")
    assert view.said.zh == "这项优惠只在部分区提供（haicang、island），请选择您所在的区"
    assert view.said.en == (
        "This benefit is offered in some districts only (haicang, island); say which one you are in"
    )
    assert dict(explain(nowhere, "auditor").reasons[0].params) == {"districts": "haicang,island"}
    early = decide(compiled("bicycle"), decision.facts._replace(on=date(2000, 1, 1)))
    assert explain(early, "partner").codes == ("not_in_force",)


def test_MINIMAL_a_partner_is_told_the_tier_and_nothing_about_the_way_to_it(compiled: Compiled) -> None:
    view = explain(of(compiled("roadside_parking"), ResidentStanding(612), "haicang"), "partner")
    assert asdict(view) == {
        "city_id": "xiamen",
        "scenario_id": "roadside_parking",
        "version": 1,
        "district": "haicang",
        "outcome": "granted",
        "tier_ids": ("pay_later",),
        "benefit": {"free_minutes": 30, "pay_later": True},
        "codes": ("tier_reached",),
        "illustrative": False,
    }


def test_MINIMAL_not_known_looks_like_refused_to_a_partner(draft: Draft, tier: Draft, scale: Scale) -> None:
    when = {"all": [{"score": {"ge": 600}}, {"attribute": {"is": "honest_model"}}]}
    table = compile_table(parse_table(draft(tier("t", when, priority=True))), scale)
    high, low = of(table, ResidentStanding(700)), of(table, ResidentStanding(500))
    assert (high.outcome, low.outcome) == ("unknown", "refused")
    assert explain(high, "partner") == explain(low, "partner")


def test_the_auditor_has_codes_figures_versions_and_the_digest(compiled: Compiled) -> None:
    decision = of(compiled("roadside_parking"), ResidentStanding(612), "haicang")
    view = explain(decision, "auditor")
    assert view.sha256 == digest(decision)
    assert [(r.code, r.tier_id, r.verdict, r.missing_points) for r in view.reasons] == [
        ("score_ge", "pay_later", True, None),
        ("score_ge", "discount", False, 68),
    ]
    assert (view.next_tier_id, view.missing_points, view.area, view.standing) == ("discount", 68, "haicang", "resident")
