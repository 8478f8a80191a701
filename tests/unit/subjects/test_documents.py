"""Identity documents, and from which day a person is 18."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from chalicelib.subjects.rules import (
    Document,
    DocumentInvalid,
    UnderAge,
    age_years,
    check_document,
    is_identity_number,
    require_adult,
)

# The standard's own examples. Source: GB 11643-1999.
OF_THE_STANDARD = ["11010519491231002X", "440524188001010014"]


def document(**changes: Any) -> Document:
    return Document(**{"kind": "cn_resident_id", "country": "CN", "number": "11010519491231002X", **changes})


@pytest.mark.parametrize("number", OF_THE_STANDARD)
def test_the_examples_of_the_standard_are_numbers(number: str) -> None:
    assert is_identity_number(number)


@pytest.mark.parametrize(
    "number",
    [
        "",
        "110105194912310021",
        "11010519491231002x",
        "1101051949123100",
        "X1010519491231002X",
        "１１０１０５１９４９１２３１００２Ｘ",
    ],
)
def test_other_texts_are_not(number: str) -> None:
    assert not is_identity_number(number)


def test_a_resident_number_states_a_date_of_birth() -> None:
    assert check_document(document()) == date(1949, 12, 31)
    assert check_document(document(number="110105 19491231 002x")) == date(1949, 12, 31)
    assert check_document(document(kind="passport", country="DE", number="C01X00T47")) is None


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"number": "110105194912310021"}, "/document/number"),
        ({"number": "000000199002300017"}, "/document/number"),
        ({"country": "US"}, "/document/country"),
        ({"kind": "hmt_residence_permit", "number": "810000199001010001"}, "/document/number"),
        ({"kind": "foreign_permanent_resident_id", "country": "FR"}, "/document/country"),
    ],
)
def test_MINIMAL_a_document_that_does_not_fit_is_refused_without_its_number(changes: Any, pointer: str) -> None:
    bad = document(**changes)
    with pytest.raises(DocumentInvalid) as refused:
        check_document(bad)
    assert [fault.pointer for fault in refused.value.faults] == [pointer]
    assert bad.number not in f"{refused.value!r} {refused.value.detail} {bad!r}"


def test_a_date_that_is_none_is_refused_though_its_check_digit_fits() -> None:
    assert is_identity_number("000000199002300017")


def test_one_number_has_one_index_text_however_it_is_written() -> None:
    texts = {
        document(number=n).index_text for n in ("11010519491231002X", "110105-1949-1231-002x", "110105 19491231002X")
    }
    assert texts == {"doc:cn_resident_id:CN:11010519491231002X"}
    assert document(kind="passport").index_text not in texts


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (date(2008, 5, 1), date(2026, 4, 30), 17),
        (date(2008, 5, 1), date(2026, 5, 1), 18),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2008, 2, 29), date(2028, 2, 28), 19),
        (date(2008, 2, 29), date(2028, 2, 29), 20),
        (date(2008, 12, 31), date(2026, 12, 30), 17),
        (date(2008, 12, 31), date(2026, 12, 31), 18),
        (date(2008, 1, 1), date(2025, 12, 31), 17),
        (date(2026, 5, 2), date(2026, 5, 1), -1),
    ],
)
def test_a_year_of_age_is_full_on_the_birthday(born: date, day: date, age: int) -> None:
    assert age_years(born, day) == age
    if age < 18:
        with pytest.raises(UnderAge):
            require_adult(born, day)
    else:
        require_adult(born, day)
