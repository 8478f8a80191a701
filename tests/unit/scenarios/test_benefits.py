from __future__ import annotations

import pytest

from chalicelib.scenarios.rules import FIELDS, describe, merge, worse_fields


@pytest.mark.parametrize(
    ("name", "value", "zh", "en"),
    [
        ("discount_bp", 1000, "九折", "10 % off"),
        ("discount_bp", 500, "九五折", "5 % off"),
        ("discount_bp", 5000, "五折", "50 % off"),
        ("discount_bp", 250, "9.75折", "2.5 % off"),
        ("discount_bp", 9500, "0.5折", "95 % off"),
        ("discount_bp", 10_000, "免费", "free of charge"),
        ("discount_bp", 0, "不打折", "no discount"),
        ("free_minutes", 30, "免费时长 30 分钟", "30 minutes free"),
        ("pay_later", True, "先享后付", "use now, pay later"),
        ("pay_later", False, "需当场付款", "pay on the spot"),
        ("deposit_fen", 0, "免押金", "no deposit"),
        ("deposit_fen", 200_000, "押金 2,000 元", "deposit 2,000 yuan"),
        ("price_fen", 3_650, "价格 36.5 元", "price 36.5 yuan"),
        ("price_fen", 3_605, "价格 36.05 元", "price 36.05 yuan"),
        ("limit_fen", 300_000, "授信额度 3,000 元", "credit line of 3,000 yuan"),
        ("books_max", 40, "一次可借 40 册", "up to 40 books at once"),
        ("books_max", None, "没有此项", "none"),
    ],
)
def test_a_benefit_is_said_as_people_say_it(name: str, value: int | bool | None, zh: str, en: str) -> None:
    said = describe(name, value)
    assert (said.zh, said.en) == (zh, en)


def test_every_field_has_words_for_its_least_and_its_most() -> None:
    for field in FIELDS.values():
        most = True if field.unit == "yes_no" else field.most
        for said in (describe(field.name, most), describe(field.name, 0)):
            assert said.zh
            assert said.en
            assert "{" not in said.zh + said.en


def test_a_later_field_replaces_an_earlier_one_and_the_result_is_read_only() -> None:
    merged = merge([{"free_minutes": 15, "pay_later": False}, {"free_minutes": 30}])
    assert merged == {"free_minutes": 30, "pay_later": False}
    with pytest.raises(TypeError):
        merged["free_minutes"] = 60  # type: ignore[index]


@pytest.mark.parametrize(
    ("benefit", "than", "worse"),
    [
        ({"discount_bp": 500}, {"discount_bp": 1000}, ("discount_bp",)),
        ({"discount_bp": 1000}, {"discount_bp": 500}, ()),
        ({}, {"discount_bp": 500}, ("discount_bp",)),
        ({}, {"discount_bp": 0}, ()),
        ({"price_fen": 900}, {"price_fen": 800}, ("price_fen",)),
        ({}, {"price_fen": 800}, ("price_fen",)),
        ({"price_fen": 900}, {}, ()),
        ({"pay_later": False}, {"pay_later": True}, ("pay_later",)),
        ({"free_minutes": 30}, {"free_minutes": 15, "pay_later": True}, ("pay_later",)),
    ],
)
def test_worse_is_judged_field_by_field(benefit: dict[str, int], than: dict[str, int], worse: tuple[str, ...]) -> None:
    assert worse_fields(benefit, than) == worse


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("discount_bp", 10_000, True),
        ("discount_bp", 10_001, False),
        ("discount_bp", -1, False),
        ("discount_bp", True, False),
        ("pay_later", True, True),
        ("pay_later", 1, False),
    ],
)
def test_a_field_takes_only_values_of_its_kind(name: str, value: int | bool, allowed: bool) -> None:
    assert FIELDS[name].allows(value) is allowed
