"""A merchant in Xiamen whose days are sold, refunded and closed: by the store for entries, over HTTP for statements."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from chalicelib.cities.rules import City
from chalicelib.cities.store import create_city
from chalicelib.core import clock
from chalicelib.core.commit import Unit
from chalicelib.core.text import Text
from chalicelib.ledger import store
from chalicelib.ledger.rules import Entry, Party, Posting, Statement, combined, reversal
from chalicelib.partners.rules import Partner
from chalicelib.partners.store import create_partner
from tests.conftest import ISSUER, Answer, Api
from tests.integration.ledger.posting import ZONE, entry_of, intent_of, post
from tests.unit.ledger.books import DAY, FARM, NOON, funded

SCOPES = "statements:read statements:write"
SHOP = Party("xiamen", "merchant", "other-shop")
BANK = Party("xiamen", "bank", "demo-bank")


def day(number: int) -> date:
    """The n-th day of the tests; 0 is the first."""
    return DAY + timedelta(days=number)


def noon(number: int, hours: float = 0) -> datetime:
    """Some hours after noon in Xiamen on the n-th day."""
    return NOON + timedelta(days=number, hours=hours)


def closing_time(number: int) -> datetime:
    """The first instant at which the n-th day may be closed."""
    return noon(number, 13)


def load() -> None:
    """Xiamen with two merchants and a bank."""
    unit = Unit()
    create_city(unit, City("xiamen", Text("厦门", "Xiamen"), ZONE))
    for number, party in enumerate((FARM, SHOP, BANK)):
        name = Text("商户", "Merchant")
        kind: Any = party.kind
        create_partner(unit, Partner("xiamen", party.partner_id, kind, name, f"91999999{number:09d}X"))
    unit.commit()


@dataclass
class Sales:
    """What is posted in the farm's book."""

    numbers: Any = field(default_factory=lambda: itertools.count(1))
    posted: list[Entry] = field(default_factory=list)

    def key(self) -> str:
        """A key that was not used before."""
        return f"sale-{next(self.numbers):06d}"

    def sell(self, at: datetime, list_fen: int = 3600, payable_fen: int = 1800, shares: Sequence[int] = ()) -> Entry:
        """A sale at this instant."""
        postings = funded(list_fen, payable_fen, *(shares or (5000, 3000, 2000)))
        return self.keep(lambda key: entry_of(key, at, FARM, postings))

    def refund(self, original: Entry, at: datetime, parts: Sequence[Posting] | None = None) -> Entry:
        """What is given back of a sale: all of it, or these parts."""
        back = original.postings if parts is None else combined(parts)
        earlier = [entry for entry in self.posted if entry.reverses == original.entry_id]
        return self.keep(
            lambda key: reversal(
                original, earlier, back,
                entry_id=intent_of(key).effect_id, at=at, day=clock.day_in(ZONE, at), purpose="refund",
            )
        )  # fmt: skip

    def keep(self, make: Any) -> Entry:
        key = self.key()
        made = post(key, make(key))
        self.posted.append(made)
        return made


@dataclass
class Desk:
    """Asks for statements of the farm, at instants of its own choice."""

    api: Api
    at: datetime = field(default_factory=lambda: closing_time(0))

    def token(self, who: str = "merchant:qingliu-farm@xiamen", scope: str = SCOPES) -> str:
        """A token of ``kind:tenant@city``, good at the desk's instant."""
        kind, _, rest = who.partition(":")
        tenant, _, city = rest.partition("@")
        return ISSUER.token(kind, tenant, city, scope=scope, now=self.at)

    def ask(self, method: str, path: str, who: str = "merchant:qingliu-farm@xiamen", **more: Any) -> Answer:
        """A request under the farm's statements, or under another path."""
        whole = path if path.startswith("/v1") else f"/v1/cities/xiamen/partners/qingliu-farm/statements{path}"
        with clock.fixed(self.at):
            return self.api.call(method, whole, token=more.pop("token", None) or self.token(who), **more)

    def close(self, number: int, at: datetime | None = None, **more: Any) -> Answer:
        """Closes up to the n-th day, as soon as that may be."""
        self.at = at or max(self.at, closing_time(number))
        return self.ask("POST", f"/{day(number)}", **more)

    def closed(self, number: int, **more: Any) -> Any:
        """The statement of a day that is closed now."""
        answer = self.close(number, **more)
        assert answer.status == 200, answer.text
        return answer.body["statement"]

    def lines(self, number: int, limit: int = 200) -> list[Any]:
        """All lines of a day's statement, page by page."""
        found: list[Any] = []
        after = ""
        while True:
            page = self.ask("GET", f"/{day(number)}/lines?limit={limit}{after}").body
            assert len(page["items"]) <= limit
            found += page["items"]
            if page["next"] is None:
                return found
            after = f"&cursor={page['next']}"


def statements() -> list[Statement]:
    """The farm's statements, oldest first."""
    found, _ = store.list_statements(FARM, 1000, None)
    return found[::-1]


def stated_ids() -> list[str]:
    """The entries of all lines of all statements."""
    return [line.entry_id for statement in statements() for line in store.lines_of(statement)]
