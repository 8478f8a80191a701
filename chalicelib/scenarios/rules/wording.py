"""The sentences of a decision, in both languages. Worked out only when somebody reads them.

A change of any sentence raises ``WORDING_VERSION``; receipts hold codes and figures, not sentences.
"""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.cities.rules import Scale
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
_EDGES: Mapping[str, Text] = {
    "ge": Text("达到 {n} 分", "of at least {n}"),
    "gt": Text("超过 {n} 分", "above {n}"),
    "lt": Text("低于 {n} 分", "below {n}"),
    "le": Text("不超过 {n} 分", "of at most {n}"),
}
_LINKED = Text("（按互认换算）", " (by mutual recognition)")
_MET: Mapping[bool | None, Text] = {
    True: Text("已满足", "met"),
    False: Text("未满足", "not met"),
    None: Text("尚未确认", "not known yet"),
}


def reason_sentence(reason: Reason, scale: Scale, fact_names: Mapping[str, Text], missing: int | None) -> Text:
    """What the condition asks and how it turned out: "白鹭分达到 650 分：还差 38 分"."""
    if reason.tier_id is None:
        return _WHOLE[reason.code]
    return _joined(condition_words(reason, scale, fact_names), _result(reason, missing), "：", ": ")


def visitor_sentence(reason: Reason, scale: Scale, fact_names: Mapping[str, Text], missing: int | None) -> Text:
    """The same for a visitor whose score counts by a concordance: the threshold is the host's, the distance his own."""
    if reason.tier_id is None or reason.threshold is None:
        return reason_sentence(reason, scale, fact_names, missing)
    asked = _joined(condition_words(reason, scale, fact_names), _LINKED, "", "")
    return _joined(asked, _result(reason, missing), "：", ": ") if missing is None else _own(asked, missing)


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
    parts = [_EDGES[edge].format(n=params[edge]) for edge in ("ge", "gt", "lt", "le") if edge in params]
    score = scale.score_name
    return Text(score.zh + "且".join(p.zh for p in parts), f"{score.en} " + " and ".join(p.en for p in parts))


def _grade_words(reason: Reason, scale: Scale) -> Text:
    name = str(reason.params["grade"])
    name_en = next((grade.name_en for grade in scale.grades if grade.name == name), name)
    if reason.code == "grade_at_least":
        return Text(f"信用等级达到“{name}”", f"Grade “{name_en}” or better")
    return Text(f"信用等级为“{name}”", f"Grade “{name_en}”")


def _result(reason: Reason, missing: int | None) -> Text:
    if reason.verdict is False and missing is not None:
        return Text(f"还差 {missing} 分", f"{_points(missing)} short")
    return _MET[reason.verdict]


def _own(asked: Text, missing: int) -> Text:
    return Text(
        f"{asked.zh}：按您所在城市的分值还差 {missing} 分",
        f"{asked.en}: {_points(missing)} short on your own city's scale",
    )


def next_sentence(step: NextStep, name: Text, missing: int | None) -> Text:
    """What the next tier would give and what is missing for it."""
    gives = benefit_words(step.gives)
    if missing is not None:
        lead = Text(f"再增加 {missing} 分", f"With {missing} more point{'' if missing == 1 else 's'}")
    else:
        lead = Text(f"达到“{name.zh}”", f"Reaching “{name.en}”")
    more = Text("并满足其余条件", " and the other conditions met") if step.facts_too else Text("", "")
    return Text(f"{lead.zh}{more.zh}，可享：{gives.zh}", f"{lead.en}{more.en}: {gives.en}")


def benefit_words(benefit: Benefit) -> Text:
    """A benefit in one line, field by field."""
    lines = [describe(name, benefit[name]) for name in FIELDS if name in benefit]
    return Text("，".join(line.zh for line in lines), ", ".join(line.en for line in lines))


def _points(count: int) -> str:
    return f"{count} point" if count == 1 else f"{count} points"


def _joined(first: Text, second: Text, zh: str, en: str) -> Text:
    return Text(f"{first.zh}{zh}{second.zh}", f"{first.en}{en}{second.en}")
