"""What the linter can say about a table: a closed list of codes, each with one sentence an author understands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from chalicelib.core.text import Text

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong (``error``: it bars publication) or doubtful, at one place of the authored document."""

    code: str
    severity: Severity
    pointer: str
    message: Text


_ERRORS: Mapping[str, Text] = {
    "city-mismatch": Text("规则与分制不属于同一城市", "This table and the scale belong to different cities"),
    "dates-contradict": Text(
        "失效日（当天不再生效）必须晚于生效日", "The day it ends must come after the day it begins"
    ),
    "versions-overlap": Text(
        "第 {a} 版与第 {b} 版在同一天都生效", "Versions {a} and {b} would both be in force on the same day"
    ),
    "version-repeated": Text("第 {a} 版已经存在", "There is a version {a} already"),
    "use-forbidden": Text(
        "该信用分的管理办法不允许用于“{use_zh}”", "The rules of this score do not allow its use for {use_en}"
    ),
    "fact-forbidden": Text(
        "不得以宗教、基因、指纹、血型、疾病、病史等禁止采集的信息作为条件",
        "A condition may not ask for a fact that the law or the score's rules forbid to collect",
    ),
    "district-unknown": Text("本市没有这个区", "The city has no such district"),
    "grade-unknown": Text("分制没有这个等级", "The scale has no such grade"),
    "threshold-off-scale": Text(
        "分数线须在 {lo} 至 {hi} 之间，并从 {lo} 起按 {step} 递增",
        "A threshold lies between {lo} and {hi}, in steps of {step} from {lo}",
    ),
    "threshold-beyond-reach": Text("没有人的分数能越过这条线", "Nobody's score can pass this line"),
    "benefit-unknown": Text("没有这种优惠项目", "There is no such kind of benefit"),
    "benefit-value": Text(
        "该优惠项目的取值应为{takes_zh}",
        "This benefit takes {takes_en}",
    ),
    "gap": Text(
        "{low} 至 {high} 分没有对应档位，而更差的分数却有",
        "Scores from {low} to {high} get no tier although worse ones do",
    ),
    "overlap": Text(
        "{low} 至 {high} 分同时落在“{a_zh}”和“{b_zh}”两档，而两档优惠不同",
        "Scores from {low} to {high} fall into both “{a_en}” and “{b_en}”, which give different benefits",
    ),
    "unreachable": Text("没有任何人能达到“{a_zh}”这一档", "Nobody can ever reach the tier “{a_en}”"),
    "shadowed": Text(
        "凡达到“{a_zh}”的人都归入更后面的档位，这一行永远不起作用",
        "Everyone who reaches “{a_en}” is put in a later tier, so this row never counts",
    ),
    "better-worse-off": Text(
        "{high_zh}得到“{gets_zh}”，不如{low_zh}的“{than_zh}”：分数更好，待遇反而更差",
        "{high_en} get “{gets_en}”, less than the “{than_en}” of {low_en}: a better score would be worse off",
    ),
    "worse-than-without": Text(
        "{high_zh}得到“{gets_zh}”，不如没有信用分的人的“{than_zh}”",
        "{high_en} get “{gets_en}”, less than the “{than_en}” of people without a score",
    ),
    "fact-worse-off": Text(
        "符合“{fact_zh}”的人得到“{gets_zh}”，不如不符合的人的“{than_zh}”",
        "People for whom “{fact_en}” holds get “{gets_en}”, less than the “{than_en}” of people for whom it does not",
    ),
}  # fmt: skip
_WARNINGS: Mapping[str, Text] = {
    "fact-needs-consent": Text(
        "收入、存款、证券、商业保险、不动产、纳税数额须经本人书面同意方可采集",
        "Income, deposits, securities, insurance, real estate and tax may be asked only with written consent",
    ),
    "fact-without-source": Text(
        "目前没有任何来源提供这项事实，它将始终“尚未确认”",
        "There is no source for this fact yet; it will always be not known",
    ),
    "more-findings": Text("另有 {n} 项问题未列出", "{n} more findings are not listed"),
    "grade-skipped": Text(
        "没有写“{grade_zh}”，它将按更低一级的“{low_zh}”办理",
        "“{grade_en}” is not named and would be treated as the lower “{low_en}”",
    ),
    "baseline-missing": Text(
        "没有写明无信用分者的“{field}”，无法核对是否高于平常",
        "What people without a score pay ({field}) is not stated, so nobody can check that this is not more",
    ),
}  # fmt: skip

CODES: frozenset[str] = frozenset({*_ERRORS, *_WARNINGS})


def finding(code: str, pointer: str, **params: object) -> Finding:
    """The finding of this code at this place, its sentence filled in."""
    severity: Severity = "error" if code in _ERRORS else "warning"
    words = _ERRORS[code] if code in _ERRORS else _WARNINGS[code]
    return Finding(code, severity, pointer, words.format(**params))
