"""Unified social credit codes: codes that are in use, and what is none."""

from __future__ import annotations

import pytest

from chalicelib.partners.rules import check_character, is_invented, is_uscc

# Printed on every document of these companies; source: 国家企业信用信息公示系统 (gsxt.gov.cn).
IN_USE = {
    "华为技术有限公司": "914403001922038216",
    "深圳市腾讯计算机系统有限公司": "91440300708461136T",
    "阿里巴巴（中国）网络技术有限公司": "91330100799655058B",
}
# The weights as the standard prints them; the code computes them as powers of 3.
PRINTED_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


@pytest.mark.parametrize("code", IN_USE.values(), ids=IN_USE.keys())
def test_a_code_in_use_is_one(code: str) -> None:
    assert is_uscc(code)
    assert check_character(code[:17]) == code[17]
    assert not is_invented(code)


def test_the_weights_are_those_of_the_standard() -> None:
    zero = "0" * 17
    for place, weight in enumerate(PRINTED_WEIGHTS):
        body = zero[:place] + "1" + zero[place + 1 :]
        assert check_character(body) == "0123456789ABCDEFGHJKLMNPQRTUWXY"[(31 - weight) % 31]
    assert check_character(zero) == "0"


@pytest.mark.parametrize(
    "code",
    [
        "",
        "91440300192203821",
        "9144030019220382166",
        "91440300192203821O",
        "91330100799655058b",
        "9144A3001922038216",
        "９１４４０３００１９２２０３８２１６",
    ],
)
def test_what_does_not_have_the_form_is_none(code: str) -> None:
    assert not is_uscc(code)


@pytest.mark.parametrize(
    ("region", "invented"), [("000000", True), ("990000", True), ("350200", False), ("100000", False)]
)
def test_an_invented_organisation_is_known_by_its_region(region: str, invented: bool) -> None:
    body = "91" + region + "MA0000001"
    assert is_invented(body + check_character(body)) is invented
