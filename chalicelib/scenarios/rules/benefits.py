"""What a tier can give: a closed list of fields, which way each is better, and how it is said.

A field that a benefit does not name is worth nothing extra; for an amount to pay (price, deposit, prepayment) it means
the usual amount, which no stated amount may exceed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from chalicelib.core.text import Text

Benefit = Mapping[str, int | bool]
Unit = Literal["bp", "fen", "minutes", "days", "count", "yes_no"]

NOTHING: Benefit = MappingProxyType({})
_NONE = Text("没有此项", "none")
_NUMERALS = "零一二三四五六七八九"


@dataclass(frozen=True, slots=True)
class BenefitField:
    """One thing a tier can give. ``most`` is the largest value that makes sense; the least is 0."""

    name: str
    unit: Unit
    better: Literal["more", "less"]
    most: int
    said: Text
    said_zero: Text

    def allows(self, value: int | bool) -> bool:
        """Whether the value is of this field's kind and within 0 … ``most``."""
        return isinstance(value, bool) if self.unit == "yes_no" else type(value) is int and 0 <= value <= self.most

    @property
    def takes(self) -> Text:
        """Which values it allows, in words."""
        if self.unit == "yes_no":
            return Text("true 或 false", "true or false")
        return Text("0 至 {most} 的整数", "a whole number from 0 to {most}").format(most=self.most)

    def worth(self, value: int | bool | None) -> int:
        """A number that is larger the better the value is for the person; None is the field left out."""
        if self.better == "more":
            return int(value or 0)
        return -self.most - 1 if value is None else -int(value)


_YEAR_DAYS = 366
_FEN_MOST = 10**10

FIELDS: Mapping[str, BenefitField] = {
    field.name: field
    for field in (
        BenefitField(
            "discount_bp", "bp", "more", 10_000, Text("{zhe}折", "{percent} % off"), Text("不打折", "no discount")
        ),
        BenefitField(
            "free_minutes",
            "minutes",
            "more",
            10_080,
            Text("免费时长 {n} 分钟", "{n} minutes free"),
            Text("没有免费时长", "no free minutes"),
        ),
        BenefitField(
            "pay_later",
            "yes_no",
            "more",
            1,
            Text("先享后付", "use now, pay later"),
            Text("需当场付款", "pay on the spot"),
        ),
        BenefitField(
            "deposit_fen", "fen", "less", _FEN_MOST, Text("押金 {yuan} 元", "deposit {yuan} yuan"),
            Text("免押金", "no deposit"),
        ),
        BenefitField(
            "prepayment_fen", "fen", "less", _FEN_MOST, Text("预交金 {yuan} 元", "prepayment {yuan} yuan"),
            Text("免预交金", "no prepayment"),
        ),
        BenefitField(
            "price_fen", "fen", "less", _FEN_MOST, Text("价格 {yuan} 元", "price {yuan} yuan"),
            Text("免费", "free of charge"),
        ),
        BenefitField(
            "limit_fen", "fen", "more", _FEN_MOST, Text("授信额度 {yuan} 元", "credit line of {yuan} yuan"),
            Text("没有授信额度", "no credit line"),
        ),
        BenefitField(
            "interest_free_days", "days", "more", _YEAR_DAYS, Text("免息 {n} 天", "{n} days without interest"),
            Text("不免息", "no days without interest"),
        ),
        BenefitField(
            "loan_days", "days", "more", _YEAR_DAYS, Text("可借 {n} 天", "may be kept {n} days"),
            Text("不可外借", "may not be taken out"),
        ),
        BenefitField(
            "books_max", "count", "more", 1_000, Text("一次可借 {n} 册", "up to {n} books at once"),
            Text("不可借书", "no books"),
        ),
        BenefitField(
            "priority", "yes_no", "more", 1, Text("优先办理（绿色通道）", "served first (green channel)"),
            Text("按普通顺序办理", "served in the usual order"),
        ),
        BenefitField(
            "documents_later", "yes_no", "more", 1,
            Text("容缺受理：材料可后补", "missing documents may follow later"),
            Text("材料须齐全", "all documents at once"),
        ),
    )
}  # fmt: skip


def merge(benefits: Iterable[Benefit]) -> Benefit:
    """All of them as one, read-only; a later benefit's field replaces an earlier one's."""
    merged: dict[str, int | bool] = {}
    for benefit in benefits:
        merged.update(benefit)
    return MappingProxyType(merged)


def worse_fields(benefit: Benefit, than: Benefit) -> tuple[str, ...]:
    """The fields in which ``benefit`` is worse for the person than ``than``; empty if it is as good in every one."""
    return tuple(name for name, field in FIELDS.items() if field.worth(benefit.get(name)) < field.worth(than.get(name)))


def describe(name: str, value: int | bool | None) -> Text:
    """One field of a benefit in words: ``discount_bp`` 1000 is 九折 and "10 % off"."""
    field = FIELDS[name]
    if value is None:
        return _NONE
    if not value:
        return field.said_zero
    if field.unit == "bp":
        if value >= field.most:
            return Text("免费", "free of charge")
        return Text(
            field.said.zh.format(zhe=_zhe(field.most - value)), field.said.en.format(percent=_hundredths(value))
        )
    return field.said.format(n=value, yuan=_hundredths(value))


def _hundredths(value: int) -> str:
    whole, rest = divmod(value, 100)
    return f"{whole:,}" + (f".{rest:02d}".rstrip("0") if rest else "")


def _zhe(paid_bp: int) -> str:
    """What is left to pay, as a shop says it: 9000 is 九, 8500 is 八五, 9750 is 9.75."""
    tens, ones = divmod(paid_bp // 100, 10)
    if paid_bp % 100 or not tens:
        return f"{paid_bp / 1000:g}"
    return _NUMERALS[tens] + (_NUMERALS[ones] if ones else "")
