"""The sentences of a decision, in both languages. Worked out only when somebody reads them.

A change of any sentence raises ``WORDING_VERSION``; receipts hold codes and figures, not sentences.
"""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.cities.rules import Direction, Scale
from chalicelib.core.text import Text
from chalicelib.scenarios.rules.benefits import FIELDS, Benefit, describe
from chalicelib.scenarios.rules.rulings import NextStep, Outcome, Reason

WORDING_VERSION = 1

OUTCOMES: Mapping[Outcome, Text] = {
    "granted": Text("可以享受", "Granted"),
    "refused": Text("暂不符合条件", "Not eligible yet"),
    "unknown": Text("还有条件待确认", "Some conditions are not known yet"),
}
_WHOLE: Mapping[str, Text] = {
    "not_in_force": Text("这项规则在这一天不生效", "This rule is not in force on that day"),
    "no_area_for_district": Text("本区没有这项优惠", "This benefit is not offered in this district"),
    "district_needed": Text(
        "这项优惠只在部分区提供（{zh}），请选择您所在的区",
        "This benefit is offered in some districts only ({en}); say which one you are in",
    ),
    "no_score": Text("您还没有可用的信用分", "You have no score that can be used yet"),
    "no_agreement": Text(
        "您所在城市与本市尚无信用互认约定", "Your city and this one have no agreement to recognise scores"
    ),
    "not_linked": Text(
        "您所在城市的分数目前还不能换算到本市", "Scores of your city cannot be converted to this one at present"
    ),
    "suspended": Text("您的信用优惠目前处于暂停状态", "Your credit benefits are suspended at present"),
    "score_too_old": Text("您的信用分已过时，请先更新", "Your score is out of date; have it refreshed first"),
}
_EDGES: Mapping[Direction, Mapping[str, Text]] = {
    "higher_is_better": {
        "ge": Text("达到 {n} 分", "of at least {n}"),
        "gt": Text("超过 {n} 分", "above {n}"),
        "lt": Text("低于 {n} 分", "below {n}"),
        "le": Text("不超过 {n} 分", "of at most {n}"),
    },
    "lower_is_better": {
        "ge": Text("不超过 {n} 分", "of at most {n}"),
        "gt": Text("低于 {n} 分", "below {n}"),
        "lt": Text("超过 {n} 分", "above {n}"),
        "le": Text("达到 {n} 分", "of at least {n}"),
    },
}
_AWAY: Mapping[Direction, Text] = {
    "higher_is_better": Text("还差 {n} 分", "{points} short"),
    "lower_is_better": Text("高出 {n} 分", "{points} too many"),
}
_CLIMB: Mapping[Direction, Text] = {
    "higher_is_better": Text("再增加 {n} 分", "With {n} more point{s}"),
    "lower_is_better": Text("再降低 {n} 分", "With {n} point{s} fewer"),
}
# A visitor's own scale may run either way, whatever the host's does.
_OWN_AWAY = Text("按您所在城市的分制还差 {n} 分", "{points} away on your own city's scale")
_OWN_CLIMB = Text("按您所在城市的分制再改善 {n} 分", "With a score {points} better on your own city's scale")
_LINKED = Text("（按互认换算）", " (by mutual recognition)")
_MET: Mapping[bool | None, Text] = {
    True: Text("已满足", "met"),
    False: Text("未满足", "not met"),
    None: Text("尚未确认", "not known yet"),
}


def reason_sentence(reason: Reason, scale: Scale, fact_names: Mapping[str, Text], missing: int | None) -> Text:
    """What the condition asks and how it turned out: "白鹭分达到 650 分：还差 38 分"."""
    if reason.tier_id is None:
        return _whole(reason)
    return _joined(condition_words(reason, scale, fact_names), _result(reason, scale, missing), "：", ": ")


def visitor_sentence(reason: Reason, scale: Scale, fact_names: Mapping[str, Text], missing: int | None) -> Text:
    """The same for a visitor whose score counts by a concordance: the threshold is the host's, the distance his own."""
    if reason.tier_id is None or reason.threshold is None:
        return reason_sentence(reason, scale, fact_names, missing)
    asked = _joined(condition_words(reason, scale, fact_names), _LINKED, "", "")
    result = _MET[reason.verdict] if missing is None else _counted(_OWN_AWAY, missing)
    return _joined(asked, result, "：", ": ")


def _whole(reason: Reason) -> Text:
    """What is said of the table or the person as a whole."""
    listed = str(reason.params.get("districts", "")).split(",")
    return _WHOLE[reason.code].format(zh="、".join(listed), en=", ".join(listed))


def condition_words(reason: Reason, scale: Scale, fact_names: Mapping[str, Text]) -> Text:
    """What the condition asks, in words."""
    params = reason.params
    if reason.code == "attribute_is":
        name = str(params["attribute"])
        return fact_names.get(name, Text(name, name))
    if reason.code == "resident":
        return Text("持有本市信用分", "A score of this city")
    if reason.code.startswith("grade"):
        return _grade_words(reason, scale)
    words = _EDGES[scale.direction]
    parts = [words[edge].format(n=params[edge]) for edge in ("ge", "gt", "lt", "le") if edge in params]
    score = scale.score_name
    return Text(score.zh + "且".join(p.zh for p in parts), f"{score.en} " + " and ".join(p.en for p in parts))


def _grade_words(reason: Reason, scale: Scale) -> Text:
    name = str(reason.params["grade"])
    name_en = next((grade.name_en for grade in scale.grades if grade.name == name), name)
    if reason.code == "grade_at_least":
        return Text(f"信用等级达到“{name}”", f"Grade “{name_en}” or better")
    return Text(f"信用等级为“{name}”", f"Grade “{name_en}”")


def _result(reason: Reason, scale: Scale, missing: int | None) -> Text:
    if reason.verdict is False and missing is not None:
        return _counted(_AWAY[scale.direction], missing)
    return _MET[reason.verdict]


def next_sentence(step: NextStep, scale: Scale, missing: int | None, *, own_scale: bool) -> Text:
    """What the next tier would give and what is missing for it.

    ``own_scale``: the points are not those of this scale, but of the one of the visitor's own city.
    """
    gives = benefit_words(step.gives)
    if missing is not None:
        lead = _counted(_OWN_CLIMB if own_scale else _CLIMB[scale.direction], missing)
        more = Text("并满足其余条件", " and the other conditions met") if step.facts_too else Text("", "")
        return Text(f"{lead.zh}{more.zh}，可享：{gives.zh}", f"{lead.en}{more.en}: {gives.en}")
    if step.facts_too:
        return Text(f"满足其余条件后，可享：{gives.zh}", f"With the other conditions met: {gives.en}")
    return Text(f"下一档可享：{gives.zh}", f"The next tier gives: {gives.en}")


def benefit_words(benefit: Benefit) -> Text:
    """A benefit in one line, field by field."""
    lines = [describe(name, benefit[name]) for name in FIELDS if name in benefit]
    return Text("，".join(line.zh for line in lines), ", ".join(line.en for line in lines))


def _counted(words: Text, count: int) -> Text:
    plural = "" if count == 1 else "s"
    return words.format(n=count, s=plural, points=f"{count} point{plural}")


def _joined(first: Text, second: Text, zh: str, en: str) -> Text:
    return Text(f"{first.zh}{zh}{second.zh}", f"{first.en}{en}{second.en}")
