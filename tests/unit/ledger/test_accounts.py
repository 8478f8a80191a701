"""Names of accounts: one grammar, one chart, no persons."""

from __future__ import annotations

import re

import pytest

from chalicelib.core import ids
from chalicelib.ledger.rules import (
    CHART,
    Account,
    Party,
    beancount_account,
    is_party,
    nature_of,
    parse_account,
    parse_party,
)
from chalicelib.ledger.rules.accounts import is_account
from tests.unit.ledger.books import BANK, CITY, FARM, PARKING, PERSON, PLATFORM


@pytest.mark.parametrize(
    ("party", "name"),
    [
        (CITY, "xiamen/city"),
        (PLATFORM, "xiamen/platform"),
        (FARM, "xiamen/merchant/qingliu-farm"),
        (PARKING, "xiamen/parking_operator/i_chewei-2"),
        (Party("xiamen", "merchant", "city"), "xiamen/merchant/city"),
    ],
)
def test_a_party_and_its_accounts_are_named(party: Party, name: str) -> None:
    assert party.name == name
    assert parse_party(name) == party
    account = party.account("receivable")
    assert account == f"{name}/receivable"
    assert parse_account(account) == Account(party, "receivable")
    assert is_account(account)


def test_a_person_has_accounts_under_his_pairwise_id() -> None:
    subject = ids.pairwise("bank:xiamen/demo-bank", "xiamen/s_" + "a" * 26)
    assert parse_account(BANK.account("receivable", subject)) == Account(BANK, "receivable", subject)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "xiamen",
        "xiamen/city",
        "xiamen/receivable",
        "Xiamen/city/receivable",
        "xiamen/merchant/receivable",
        "xiamen/city/qingliu-farm/receivable",
        "xiamen/grocer/qingliu-farm/receivable",
        "xiamen/merchant/qingliu-farm/pocket-money",
        "xiamen/merchant/qingliu-farm/wealth",
        "xiamen/city/receivable\n",
        "xiamen/city/receivable/",
        "xiamen//city/receivable",
        "xiamen/merchant/清流/receivable",
        "xiamen/merchant/=1+1/receivable",
    ],
)
def test_any_other_name_is_a_broken_belief(name: str) -> None:
    with pytest.raises(AssertionError):
        parse_account(name)
    assert not is_account(name)


@pytest.mark.parametrize(
    "subject", ["s_" + "a" * 26, "xm-693", "350203199001011234", "a" * 26, PERSON + "/x", "p1_short", "13800138000"]
)
def test_MINIMAL_no_account_names_a_person_but_by_a_pairwise_id(subject: str) -> None:
    with pytest.raises(AssertionError):
        BANK.account("receivable", subject)


def test_an_account_cannot_be_made_of_parts_that_do_not_fit() -> None:
    for party in (Party("xiamen", "city", "x1"), Party("xiamen", "merchant"), Party("", "city")):
        with pytest.raises(AssertionError):
            party.account("receivable")
        assert not is_party(party.name)


def test_the_chart_says_of_every_role_what_it_is() -> None:
    assert {role.nature for role in CHART.values()} <= {"Assets", "Liabilities", "Income", "Expenses", "Equity"}
    assert {nature_of(CITY.account(role)) for role in CHART} == {role.nature for role in CHART.values()}
    for role in CHART.values():
        assert re.search(r"[\u4e00-\u9fff]", role.title.zh)
        assert re.fullmatch(r"[a-z' ]+", role.title.en)


@pytest.mark.parametrize(
    ("account", "name"),
    [
        (FARM.account("receivable"), "Assets:Xiamen:Merchant:Qingliu-farm:Receivable"),
        (CITY.account("subsidy"), "Expenses:Xiamen:City:Subsidy"),
        (PARKING.account("payable"), "Liabilities:Xiamen:ParkingUoperator:IUchewei-2:Payable"),
        (BANK.account("cash", PERSON), f"Assets:Xiamen:Bank:Demo-bank:Cash:{PERSON.replace('p1_', 'P1U')}"),
    ],
)
def test_beancount_calls_them_by_its_own_grammar(account: str, name: str) -> None:
    assert beancount_account(account) == name
