"""What can be said against a policy: a closed list of codes, each with one sentence that its author understands."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.core.text import Text
from chalicelib.scenarios.rules import Finding

_ERRORS: Mapping[str, Text] = {
    # Of the policy alone: check_policy refuses a draft with any of these.
    "id-unfit": Text(
        "编号应为小写字母开头的小写字母、数字、连字符和下划线",
        "An id starts with a small letter and has small letters, digits, hyphens and underscores",
    ),
    "text-unfit": Text(
        "应为一行不超过 {most} 字的文字，不含控制字符",
        "This needs one line of text, at most {most} characters, without control characters",
    ),
    "figure-unfit": Text("应为 {least} 至 {most} 的整数", "This is a whole number from {least} to {most}"),
    "day-count-unknown": Text(
        "计息基准应为 actual/360 或 actual/365", "The day count is actual/360 or actual/365"
    ),
    "too-many": Text("应为 1 至 {most} 项", "There must be 1 to {most} of these"),
    "repeated": Text("与前面的重复", "This is there twice"),
    "dates-contradict": Text(
        "失效日（当天不再生效）必须晚于生效日", "The day it ends must come after the day it begins"
    ),
    "reminder-before-capture": Text(
        "提醒日不得早于扣款日：提前天数不能超过免息天数",
        "A reminder comes after the capture: it cannot be earlier than the days without interest are long",
    ),
    "shard-too-small": Text(
        "敞口上限分成这么多份后，每份容不下一个人的最高额度",
        "In so many parts the exposure cap has no room for one person's highest limit in each",
    ),
    "minimum-above-ceiling": Text(
        "最低还款额高于个人额度上限", "The least repayment is more than any person's limit"
    ),
    # Of the policy in its city: lint_policy alone can tell.
    "scenario-unknown": Text(
        "本市没有在该日生效的这个应用场景的规则", "The city has no rules of this scenario in force on that day"
    ),
    "city-mismatch": Text("授信规则与应用场景不属于同一城市", "The policy and its scenario belong to different cities"),
    "use-mismatch": Text(
        "该应用场景的授权用途不是信用就医", "What people agree to in this scenario is not a use for medical credit"
    ),
    "recipient-missing": Text("该应用场景没有向银行和医院开放", "This scenario is not open to banks and hospitals"),
    "limit-missing": Text("“{tier_zh}”档没有写授信额度", "The tier “{tier_en}” gives no credit limit"),
    "hospital-unknown": Text("本市没有这家医院，或它已被暂停", "The city has no such hospital, or it is suspended"),
    "rate-above-ceiling": Text(
        "折合年化利率 {rate}，高于自 {since} 起适用的上限 {most}",
        "This is {rate} a year, more than the {most} that applies since {since}",
    ),
    "version-repeated": Text("第 {a} 版已经存在", "There is a version {a} already"),
    "versions-overlap": Text(
        "第 {a} 版与第 {b} 版在同一天都生效", "Versions {a} and {b} would both be in force on the same day"
    ),
}  # fmt: skip
_WARNINGS: Mapping[str, Text] = {
    "tier-capped": Text(
        "“{tier_zh}”档的额度高于个人额度上限，将按上限授信",
        "The tier “{tier_en}” gives more than the ceiling, which will be the limit",
    ),
    "ceiling-unknown": Text(
        "未提供适用的年化利率上限，无法核对", "No ceiling on the annual rate is given, so nobody can check this one"
    ),
    "rules-end-first": Text(
        "该应用场景的规则先于授信规则失效，此后不再授信",
        "The scenario's rules end before the policy does; after that nothing is granted",
    ),
    "versions-gap": Text(
        "第 {a} 版失效后到第 {b} 版生效前没有规则，其间不能授信",
        "Nothing is in force between versions {a} and {b}; nothing can be granted then",
    ),
}

CODES: frozenset[str] = frozenset({*_ERRORS, *_WARNINGS})


def finding(code: str, pointer: str, **params: object) -> Finding:
    """The finding of this code at this place, its sentence filled in."""
    error = code in _ERRORS
    words = _ERRORS[code] if error else _WARNINGS[code]
    return Finding(code, "error" if error else "warning", pointer, words.format(**params))
