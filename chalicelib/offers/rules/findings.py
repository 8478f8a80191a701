"""What can be said against an offer: a closed list of codes, each with one sentence that its author understands."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.core import money
from chalicelib.core.text import Text
from chalicelib.scenarios.rules import Finding

_ERRORS: Mapping[str, Text] = {
    # Of the offer alone: check_offer refuses a draft with any of these.
    "text-unfit": Text(
        "应为一行不超过 {most} 字的中英文文字，不含控制字符",
        "Both languages need one line of text, at most {most} characters, without control characters",
    ),
    "id-unfit": Text(
        "编号应为小写字母开头的小写字母、数字、连字符和下划线",
        "An id starts with a small letter and has small letters, digits, hyphens and underscores",
    ),
    "id-reserved": Text("编号不得为 import 或 export", "The ids import and export are taken"),
    "repeated": Text("与前面的重复", "This is there twice"),
    "too-many": Text("应为 1 至 {most} 项", "There must be 1 to {most} of these"),
    "category-unknown": Text("没有这个商品类别", "There is no such category"),
    "photo-unfit": Text("照片须为 https 网址", "A photo is an https address"),
    "dates-contradict": Text("结束时间必须晚于开始时间", "It must end after it begins"),
    "price-unfit": Text(
        "价格应为 1 至 {most} 的整数（分）", "A price is a whole number of fen, from 1 to {most}"
    ),
    "stock-unfit": Text("库存应为 0 至 {most} 的整数", "A stock is a whole number from 0 to {most}"),
    "budget-unfit": Text("预算应为 1 至 {most} 的整数（分）", "A budget is a whole number of fen, from 1 to {most}"),
    "quota-unfit": Text("限购数量应为 1 至 {most} 的整数", "A quota is a whole number from 1 to {most}"),
    "reservation-unfit": Text(
        "预留时长应为 {least} 至 {most} 秒的整数", "A reservation lasts {least} to {most} seconds, a whole number"
    ),
    "tier-terms": Text(
        "每档应有折扣或各规格的价格，二者取一",
        "A tier has either a discount or prices for its variants",
    ),
    "discount-unfit": Text(
        "折扣应为 1 至 9999 的整数（基点）", "A discount is a whole number of basis points, from 1 to 9,999"
    ),
    "variant-unknown": Text("本优惠没有这个规格", "The offer has no such variant"),
    "price-zero": Text(
        "“{tier}”档把“{goods_zh}”的单价降到了 0", "The tier “{tier}” brings a unit of “{goods_en}” down to nothing"
    ),
    "worse-than-without": Text(
        "“{tier}”档的“{goods_zh}”要 {gets} 元，高于标价 {than} 元：信用分只能带来优惠，不能加价",
        "“{goods_en}” costs {gets} yuan in the tier “{tier}”, more than the list price of {than}: a score never "
        "makes anything dearer",
    ),
    "funding-unfit": Text(
        "每份出资应为 1 至 10000 的整数（基点）", "A share is a whole number of basis points, from 1 to 10,000"
    ),
    "funding-sum": Text("各方出资合计应为 10000 基点，现为 {sum}", "The shares must be 10,000 in all; they are {sum}"),
    "funding-bank": Text(
        "由银行出资须写明是哪家银行，其他出资方则不写", "A bank that bears a share is named; nobody else is"
    ),
    "priority-unfit": Text("次序应为 0 至 {most} 的整数", "A priority is a whole number from 0 to {most}"),
    "cap-unfit": Text("整单优惠上限应为 1 至 {most} 的整数", "A cap is a whole number from 1 to {most}"),
    # Of the offer in its city: lint_offer alone can tell.
    "scenario-unknown": Text(
        "本市今天没有这个应用场景的规则在生效", "The city has no rules of this scenario in force today"
    ),
    "bank-unknown": Text("本市没有这家银行，或它已被暂停", "The city has no such bank, or it is suspended"),
    "city-mismatch": Text("优惠与应用场景不属于同一城市", "The offer and its scenario belong to different cities"),
    "recipient-missing": Text("该应用场景没有向商户开放", "This scenario is not open to merchants"),
    "use-mismatch": Text(
        "“{category_zh}”属于“{use_zh}”，而该场景的授权是用于“{scenario_zh}”",
        "{category_en} is a use for {use_en}, while people agree in this scenario to a use for {scenario_en}",
    ),
    "use-forbidden": Text(
        "该信用分的管理办法不允许用于“{use_zh}”", "The rules of this score do not allow its use for {use_en}"
    ),
    "district-unknown": Text("本市没有这个区", "The city has no such district"),
    "district-without-rules": Text(
        "该应用场景在这个区没有规则，优惠在那里永远不起作用",
        "The scenario has no rules for this district: the offer would never count there",
    ),
    "grade-unknown": Text("分制没有这个等级", "The scale has no such grade"),
    "tier-unknown": Text("该应用场景没有这个档位", "The scenario has no such tier here"),
    "unreachable": Text("没有任何人会按“{tier}”档付款", "Nobody would ever pay by the tier “{tier}”"),
    "better-worse-off": Text(
        "{high_zh}买“{goods_zh}”付 {gets} 元，比{low_zh}的 {than} 元还多：信用更好，反而更贵",
        "For “{goods_en}” {high_en} pays {gets} yuan, more than the {than} of {low_en}: a better score would pay more",
    ),
    "fact-worse-off": Text(
        "符合“{fact_zh}”的人买“{goods_zh}”付 {gets} 元，比不符合的人的 {than} 元还多",
        "For “{goods_en}” people for whom “{fact_en}” holds pay {gets} yuan, more than the {than} of those for whom "
        "it does not",
    ),
}  # fmt: skip
_WARNINGS: Mapping[str, Text] = {
    "quota-idle": Text(
        "较长期限的限购不多于较短期限的，后者永远不起作用",
        "The quota of a longer window is no larger than this one, which therefore never counts",
    ),
    "budget-small": Text(
        "预算不够一件“{goods_zh}”在“{tier}”档的优惠",
        "The budget is less than the discount on one unit of “{goods_en}” in the tier “{tier}”",
    ),
    "tier-idle": Text("“{tier}”档没有任何商品比标价便宜", "Nothing is below its list price in the tier “{tier}”"),
    "grade-skipped": Text(
        "没有写“{grade_zh}”，它将按更低一级的“{low_zh}”办理",
        "“{grade_en}” is not named and would be treated as the lower “{low_en}”",
    ),
    "rules-end-first": Text(
        "该应用场景的规则先于优惠失效，此后优惠不起作用",
        "The scenario's rules end before the offer does; after that it gives nothing",
    ),
}

CODES: frozenset[str] = frozenset({*_ERRORS, *_WARNINGS})


def finding(code: str, pointer: str, **params: object) -> Finding:
    """The finding of this code at this place, its sentence filled in."""
    error = code in _ERRORS
    words = _ERRORS[code] if error else _WARNINGS[code]
    return Finding(code, "error" if error else "warning", pointer, words.format(**params))


def yuan(amount_fen: int) -> str:
    """An amount as people write it: 3600 fen are ``36.00``."""
    return money.decimal(amount_fen)
