"""The names of accounts, and the chart that says what each role is.

    account = party "/" role [ "/" subject ]        xiamen/merchant/qingliu-farm/receivable
    party   = city "/city" | city "/platform"       xiamen/city, xiamen/platform
            | city "/" kind "/" partner             xiamen/merchant/qingliu-farm
    subject = a pairwise id                         p1_…

A person appears only under the pairwise id by which the party knows him, never under an internal one: a name that holds
anything else in that place is a broken belief.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, get_args

from chalicelib.core.text import Text
from chalicelib.partners.rules import PartnerKind

Nature = Literal["Assets", "Liabilities", "Income", "Expenses", "Equity"]
OWN_KINDS = ("city", "platform")
PARTNER_KINDS: tuple[str, ...] = get_args(PartnerKind)

_CITY = r"[a-z][a-z0-9-]{1,23}"
_SLUG = r"[a-z][a-z0-9_-]{1,47}"
_PARTY = rf"({_CITY})/(?:({'|'.join(OWN_KINDS)})|({'|'.join(PARTNER_KINDS)})/({_SLUG}))"
_ACCOUNT = re.compile(rf"{_PARTY}/([a-z]+)(?:/(p[0-9]{{1,3}}_[a-z2-7]{{16,400}}))?")
_PARTY_ALONE = re.compile(_PARTY)


@dataclass(frozen=True, slots=True)
class Role:
    """What an account of this role is: a debit (> 0) adds to assets and expenses, a credit (< 0) to all others."""

    nature: Nature
    title: Text


CHART: Mapping[str, Role] = MappingProxyType(
    {
        "takings": Role("Assets", Text("顾客实付", "paid by customers on the spot")),
        "receivable": Role("Assets", Text("应收款", "owed to it by those who pay for its sales")),
        "cash": Role("Assets", Text("银行存款", "held at its bank")),
        "loans": Role("Assets", Text("信用就医贷款", "lent by it to a patient")),
        "payable": Role("Liabilities", Text("应付款", "owed by it for what it pays of others' sales")),
        "sales": Role("Income", Text("按标价的销售额", "sales at list price")),
        "interest": Role("Income", Text("利息收入", "interest paid to it")),
        "fees": Role("Income", Text("手续费收入", "fees paid to it")),
        "discount": Role("Expenses", Text("自担让利", "the part of a discount it bears on its own sales")),
        "subsidy": Role("Expenses", Text("补贴支出", "the part of a discount it funds on others' sales")),
        "losses": Role("Expenses", Text("核销损失", "loans that it has written off")),
        "opening": Role("Equity", Text("期初余额", "brought forward from before the ledger")),
    }
)


@dataclass(frozen=True, slots=True)
class Party:
    """Whose accounts: the city's own, the platform's in that city, or a partner's. Its name is its book's name too."""

    city_id: str
    kind: str
    partner_id: str = ""

    @property
    def name(self) -> str:
        """The party as it begins the names of its accounts."""
        return "/".join(filter(None, (self.city_id, self.kind, self.partner_id)))

    def account(self, role: str, subject: str = "") -> str:
        """The name of its account of this role; ``subject`` is the pairwise id of the person it is kept for."""
        return Account(self, role, subject).name


@dataclass(frozen=True, slots=True)
class Account:
    """An account, taken apart."""

    party: Party
    role: str
    subject: str = ""

    @property
    def name(self) -> str:
        """The account's name, checked."""
        name = "/".join(filter(None, (self.party.name, self.role, self.subject)))
        assert parse_account(name) == self, "an account has a well-formed name"
        return name


def nature_of(name: str) -> Nature:
    """What kind of account the chart says the one of this name is; any other text is a broken belief."""
    found = _ACCOUNT.fullmatch(name)
    assert found is not None, "an account has a well-formed name"
    return CHART[found[5]].nature


@lru_cache(maxsize=4096)
def parse_account(name: str) -> Account:
    """The account of a name; any other text is a broken belief."""
    found = _ACCOUNT.fullmatch(name)
    assert found is not None, "an account has a well-formed name"
    city_id, own, kind, partner_id, role, subject = found.groups("")
    assert role in CHART, "an account has a role that the chart names"
    return Account(Party(city_id, own or kind, partner_id), role, subject)


@lru_cache(maxsize=16_384)
def is_account(name: str) -> bool:
    """Whether ``name`` is well formed as an account's, of a role that the chart names."""
    found = _ACCOUNT.fullmatch(name)
    return found is not None and found[5] in CHART


@lru_cache(maxsize=4096)
def parse_party(name: str) -> Party:
    """The party of a name; any other text is a broken belief."""
    found = _PARTY_ALONE.fullmatch(name)
    assert found is not None, "a party has a well-formed name"
    city_id, own, kind, partner_id = found.groups("")
    return Party(city_id, own or kind, partner_id)


@lru_cache(maxsize=4096)
def is_party(name: str) -> bool:
    """Whether ``name`` is well formed as a party's."""
    return _PARTY_ALONE.fullmatch(name) is not None
