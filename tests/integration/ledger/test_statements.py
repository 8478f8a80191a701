"""Days are closed over HTTP: once, in their order, equal to the ledger to the fen."""

from __future__ import annotations

import base64
import csv
import io
import json
from datetime import date, timedelta
from typing import Any

import jwt
import pytest

from chalicelib.core import clock, codec, signing, table
from chalicelib.ledger import service, store
from chalicelib.ledger.rules import Entry, balances, digest_of
from chalicelib.ledger.store import statements as stored
from tests.conftest import Api, Calls
from tests.integration.ledger.settling import Desk, Sales, closing_time, day, load, noon, stated_ids, statements
from tests.unit.ledger.books import BANK, CITY, FARM, funded

OWED = (FARM.account("receivable"), "CNY")
EVER = (date(2026, 1, 1), date(2030, 1, 1))


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a slow computer fewer days are closed in the time that a call has; here they all are."""
    monkeypatch.setattr(clock, "stopwatch", lambda: 0.0)


@pytest.fixture
def desk(api: Api) -> Desk:
    load()
    return Desk(api)


@pytest.fixture
def sales(desk: Desk) -> Sales:
    return Sales()


def book() -> list[Entry]:
    return list(store.entries_of(FARM.name, *EVER))


def fen_of(lines: list[Any], name: str) -> int:
    return sum(int(line[name]) for line in lines)


def test_LEDGER_a_statement_equals_the_ledger_to_the_fen(desk: Desk, sales: Sales) -> None:
    sold = sales.sell(noon(0), 8801, 4401)
    sales.sell(noon(0, 11.999), 1999, 1)
    sales.sell(noon(0, 12))
    sales.refund(sold, noon(0, 1), funded(801, 401, 5000, 3000, 2000))
    statement = desk.closed(0)
    held = balances(entry for entry in book() if entry.day == day(0))
    total = statement["totals"]["total"]
    assert statement["closing_fen"] == held[OWED] == total["receivable_fen"]
    assert total["sales_fen"] == -held[FARM.account("sales"), "CNY"]
    assert total["takings_fen"] == held[FARM.account("takings"), "CNY"]
    assert total["own_discount_fen"] == held[FARM.account("discount"), "CNY"]
    assert total["by_funder"] == [
        {"party": party.name, "fen": -held[party.account("payable"), "CNY"]} for party in (BANK, CITY)
    ]
    assert (total["entries"], statement["totals"]["sales"]["entries"], statement["lines"]) == (3, 2, 3)
    lines = desk.lines(0)
    for name in ("sales_fen", "takings_fen", "own_discount_fen", "receivable_fen", "other_fen"):
        assert fen_of(lines, name) == total[name]


def test_the_day_is_the_citys_and_half_open(desk: Desk, sales: Sales) -> None:
    first, last = sales.sell(noon(0, -12)), sales.sell(noon(0, 11.9999))
    after = sales.sell(noon(0, 12))
    desk.closed(1)
    assert [line["entry_id"] for line in desk.lines(0)] == [first.entry_id, last.entry_id]
    assert [line["entry_id"] for line in desk.lines(1)] == [after.entry_id]
    assert statements()[0].time_zone == "Asia/Shanghai"


def test_refunds_of_earlier_days_are_entries_of_their_own_day(desk: Desk, sales: Sales) -> None:
    sold = sales.sell(noon(0))
    assert desk.closed(0)["closing_fen"] == 900
    today = sales.sell(noon(2))
    sales.refund(sold, noon(2, 1))
    sales.refund(today, noon(2, 2), funded(1800, 900, 5000, 3000, 2000))
    statement = desk.closed(2)
    assert (statement["opening_fen"], statement["closing_fen"]) == (900, 450)
    of_earlier, refunds = statement["totals"]["refunds_of_earlier_days"], statement["totals"]["refunds"]
    assert (of_earlier["entries"], of_earlier["sales_fen"], refunds["entries"]) == (1, -3600, 2)
    line = desk.lines(2)[1]
    assert (line["reverses"], line["sold_on"], line["day"], line["late"]) == (
        sold.entry_id, f"{day(0)}", f"{day(2)}", False,
    )  # fmt: skip


def test_LEDGER_what_comes_late_enters_the_next_statement_with_its_day(desk: Desk, sales: Sales) -> None:
    on_time = [sales.sell(noon(0, n)) for n in range(3)]
    desk.closed(0)
    late = sales.sell(noon(0, 1.5), 1000, 0)
    next_day = sales.sell(noon(1))
    statement = desk.closed(1)
    assert [(line["entry_id"], line["late"], line["day"]) for line in desk.lines(1)] == [
        (late.entry_id, True, f"{day(0)}"),
        (next_day.entry_id, False, f"{day(1)}"),
    ]
    assert statement["totals"]["late"]["entries"] == 1
    assert statement["days"] == [{"day": f"{day(0)}", "lines": 1}, {"day": f"{day(1)}", "lines": 1}]
    desk.closed(2)
    assert [line["entry_id"] for line in desk.lines(0)] == [entry.entry_id for entry in on_time]
    assert sorted(stated_ids()) == sorted(entry.entry_id for entry in book())
    assert statements()[-1].closing_fen == balances(book())[OWED]


def test_LEDGER_entries_are_found_up_to_seven_days_late(desk: Desk, sales: Sales) -> None:
    sales.sell(noon(0))
    desk.closed(6)
    late = [sales.sell(noon(n, 3)) for n in (0, 3, 6)]
    statement = desk.closed(7)
    assert [line["entry_id"] for line in desk.lines(7)] == [entry.entry_id for entry in late]
    assert statement["totals"]["late"]["entries"] == 3
    later = sales.sell(noon(1, 4))
    assert desk.closed(8)["totals"]["late"]["entries"] == 1
    assert sorted(stated_ids()) == sorted(entry.entry_id for entry in [*late, later, sales.posted[0]])


def test_ONCE_closing_twice_changes_nothing(desk: Desk, sales: Sales) -> None:
    sales.sell(noon(0))
    first = desk.close(0, key="close-day-0")
    sales.sell(noon(0, 2))
    again = desk.close(0, key="close-day-0")
    other = desk.close(0, at=noon(3), key="another-key")
    by_city = desk.close(0, who="city:xiamen@xiamen")
    assert {first.text, again.text, other.text, by_city.text} == {first.text}
    assert again.headers["idempotency-replayed"] == "true"
    assert desk.ask("GET", f"/{day(0)}").body == first.body
    assert len(desk.lines(0)) == 1


def test_a_key_is_good_for_one_day(desk: Desk, sales: Sales) -> None:
    sales.sell(noon(0))
    desk.close(0, key="close-day-0")
    assert desk.close(1, key="close-day-0").code == "idempotency-key-reused"


def test_a_day_is_not_closed_before_the_delay_is_over(desk: Desk, sales: Sales) -> None:
    sales.sell(noon(0))
    for early in (noon(0), closing_time(0) - timedelta(milliseconds=1)):
        refused = desk.close(0, at=early, key="close-day-0")
        assert (refused.status, refused.code) == (409, "day-not-over")
        assert "2026-05-02 01:00" in refused.body["detail"]
    assert desk.close(0, at=closing_time(0), key="close-day-0").status == 200


def test_days_are_closed_in_their_order_from_the_first_entry_on(desk: Desk, sales: Sales) -> None:
    sales.sell(noon(2))
    sales.sell(noon(4))
    desk.closed(5)
    found = statements()
    assert [statement.day for statement in found] == [day(n) for n in (2, 3, 4, 5)]
    assert [statement.number for statement in found] == [1, 2, 3, 4]
    assert [statement.previous_sha256 for statement in found] == [None, *map(digest_of, found[:-1])]
    assert [statement.opening_fen for statement in found] == [0, *(before.closing_fen for before in found[:-1])]
    assert [statement.lines for statement in found] == [1, 0, 1, 0]


def test_at_most_31_days_are_closed_in_a_call_and_the_next_goes_on(desk: Desk, sales: Sales) -> None:
    sales.sell(noon(0))
    refused = desk.close(64, key="close-day-64")
    assert (refused.status, refused.code) == (409, "days-outstanding")
    assert f"{day(31)}" in refused.body["detail"]
    assert len(statements()) == 31
    assert desk.close(64, key="close-day-64").code == "days-outstanding"
    assert desk.close(64, key="close-day-64").status == 200
    assert [statement.number for statement in statements()] == list(range(1, 66))


def test_nothing_is_stated_before_there_is_anything(desk: Desk, sales: Sales) -> None:
    assert desk.close(0).code == "nothing-to-state"
    sales.sell(noon(3))
    assert desk.close(2).code == "nothing-to-state"
    assert statements() == []
    desk.closed(3)
    assert desk.close(2).code == "nothing-to-state"
    assert len(statements()) == 1


def test_a_statement_is_verified_by_the_published_keys(desk: Desk, sales: Sales) -> None:
    sales.sell(noon(0))
    signed = desk.close(0).body
    token = signed["signature"]
    (key,) = [k for k in signing.jwks()["keys"] if k["kid"] == jwt.get_unverified_header(token)["kid"]]
    whole = jwt.PyJWS().decode_complete(token, jwt.PyJWK(key), algorithms=["ES256"])
    assert whole["header"]["typ"] == "egret-statement+jwt"
    assert json.loads(whole["payload"]) == signed["statement"]
    assert whole["payload"].decode() == codec.canonical(signed["statement"])
    head, _, _ = token.partition(".")
    forged = codec.canonical({**signed["statement"], "closing_fen": 901}).encode()
    payload = base64.urlsafe_b64encode(forged).rstrip(b"=").decode()
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.PyJWS().decode(f"{head}.{payload}.{token.rpartition('.')[2]}", jwt.PyJWK(key), algorithms=["ES256"])


def test_statements_are_listed_newest_first(desk: Desk, sales: Sales) -> None:
    assert desk.ask("GET", "").body == {"items": [], "next": None}
    sales.sell(noon(0))
    desk.closed(4)
    first = desk.ask("GET", "?limit=2").body
    second = desk.ask("GET", f"?limit=3&cursor={first['next']}").body
    assert [item["day"] for item in [*first["items"], *second["items"]]] == [f"{day(n)}" for n in (4, 3, 2, 1, 0)]
    assert desk.ask("GET", f"/v1/cities/xiamen/partners/other-shop/statements?cursor={first['next']}",
                    "merchant:other-shop@xiamen").code == "cursor-invalid"  # fmt: skip


def test_lines_come_in_pages(desk: Desk, sales: Sales, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "LINES_A_PAGE", 3)
    posted = [sales.sell(noon(0, n / 10)) for n in range(8)]
    assert desk.closed(0)["pages"] == 3
    for limit in (1, 2, 3, 4, 200):
        assert [line["entry_id"] for line in desk.lines(0, limit)] == [entry.entry_id for entry in posted]
    desk.closed(1)
    assert desk.lines(1) == []
    first = desk.ask("GET", f"/{day(0)}/lines?limit=2").body["next"]
    assert desk.ask("GET", f"/{day(1)}/lines?limit=2&cursor={first}").code == "cursor-invalid"
    for wrong in ("0", "201", "x"):
        assert desk.ask("GET", f"/{day(0)}/lines?limit={wrong}").code == "invalid-request"


def test_csv_is_a_file_that_says_the_same(desk: Desk, sales: Sales) -> None:
    sold = sales.sell(noon(0))
    sales.refund(sold, noon(0, 1))
    sales.sell(noon(0, 2), 8801, 4401)
    statement = desk.closed(0)
    answer = desk.ask("GET", f"/{day(0)}/csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="qingliu-farm-{day(0)}.csv"'
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert answer.text.startswith("\ufeff行别 row,")
    assert [row[5] for row in rows[2:5]] == [entry.entry_id for entry in book()]
    assert int(rows[-1][-1].replace(".", "")) == statement["closing_fen"] == balances(book())[OWED]


def test_a_long_statement_is_downloaded_in_parts(
    desk: Desk, sales: Sales, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(stored, "LINES_A_PAGE", 1)
    monkeypatch.setattr("chalicelib.ledger.rules.spreadsheet.PAGES_A_PART", 4)
    posted = [sales.sell(noon(0, n / 10)) for n in range(9)]
    desk.closed(0)
    refused = desk.ask("GET", f"/{day(0)}/csv")
    assert (refused.status, refused.code) == (409, "statement-in-parts")
    assert "part=3" in refused.body["detail"]
    parts = [desk.ask("GET", f"/{day(0)}/csv?part={n}") for n in (1, 2, 3)]
    found = [row.split(",")[5] for part in parts for row in part.text.splitlines()[1:]]
    assert [entry_id for entry_id in found if entry_id] == [entry.entry_id for entry in posted]
    assert "qingliu-farm-2026-05-01-2.csv" in parts[1].headers["content-disposition"]
    assert desk.ask("GET", f"/{day(0)}/csv?part=4").code == "not-found"
    for wrong in ("0", "x", "-1", "1.0", "１"):
        assert desk.ask("GET", f"/{day(0)}/csv?part={wrong}").code == "invalid-request"


NO_DAYS = (
    "2026-5-1", "20260501", "2026-W18-5", "2026-02-30", "2026-13-01", "0000-01-01", "today", "2026-05-01T00", "-"
)  # fmt: skip


def test_somebody_elses_statement_is_as_if_it_were_not_there(desk: Desk, sales: Sales) -> None:
    sales.sell(noon(0))
    desk.closed(0)
    paths = [f"/{day(0)}", f"/{day(0)}/lines", f"/{day(0)}/csv"]
    strangers = ("merchant:other-shop@xiamen", "bank:qingliu-farm@xiamen", "merchant:qingliu-farm@hangzhou")
    for path in paths:
        absent = desk.ask("GET", path.replace(f"{day(0)}", f"{day(1)}"))
        assert absent.code == "not-found"
        refused = [desk.ask("GET", path, who) for who in strangers]
        refused += [desk.ask("GET", path.replace(f"{day(0)}", text)) for text in NO_DAYS]
        nobody = f"/v1/cities/xiamen/partners/nobody/statements{path}"
        refused += [desk.ask("GET", nobody, "merchant:nobody@xiamen")]
        assert {answer.text for answer in refused} == {absent.text}
        # Sums are the city's business, too; single sales by the second are the partner's alone.
        assert desk.ask("GET", path, "city:xiamen@xiamen").status == (200 if path == paths[0] else 403)
    for who in strangers:
        assert desk.ask("POST", f"/{day(0)}", who).code == "not-found"
        assert desk.ask("GET", "", who).code == "not-found"
    for text in NO_DAYS:
        assert desk.ask("POST", f"/{text}").code == "not-found"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1000-01-01", "nothing-to-state"),
        ("2999-12-31", "day-not-over"),
        ("3000-01-01", "not-found"),
        ("9999-12-31", "not-found"),
    ],
)
def test_a_day_at_the_end_of_time_is_refused(desk: Desk, sales: Sales, text: str, code: str) -> None:
    sales.sell(noon(0))
    assert desk.ask("POST", f"/{text}").code == code


def test_scopes_are_asked_for(desk: Desk, sales: Sales) -> None:
    sales.sell(noon(0))
    desk.closed(0)
    reading, writing = desk.token(scope="statements:read"), desk.token(scope="statements:write")
    assert desk.ask("POST", f"/{day(0)}", token=reading).code == "forbidden"
    assert desk.ask("GET", f"/{day(0)}", token=writing).code == "forbidden"
    assert desk.ask("GET", f"/{day(0)}", "auditor:auditor@alliance").code == "forbidden"


def test_MINIMAL_a_statement_names_no_person(desk: Desk, sales: Sales) -> None:
    sales.sell(noon(0))
    desk.closed(0)
    for path in (f"/{day(0)}", f"/{day(0)}/lines", f"/{day(0)}/csv", ""):
        assert "p1_" not in desk.ask("GET", path).text


def test_closing_and_reading_keep_to_their_budgets(desk: Desk, sales: Sales, calls: Calls) -> None:
    sold = [sales.sell(noon(0, n / 10)) for n in range(3)]
    wanted = {"BatchGetItem": 2, "GetItem": 1, "Query": 4, "TransactWriteItems": 1}
    assert calls.during(lambda: desk.close(0)) == wanted
    sales.refund(sold[0], noon(1))
    wanted = {"BatchGetItem": 3, "GetItem": 1, "Query": 3, "TransactWriteItems": 1}
    assert calls.during(lambda: desk.close(1)) == wanted
    wanted = {"BatchGetItem": 1, "GetItem": 2, "Query": 1, "TransactWriteItems": 1}
    assert calls.during(lambda: desk.close(1)) == wanted
    assert calls.during(lambda: desk.close(2)) == {"BatchGetItem": 1, "GetItem": 1, "Query": 3, "TransactWriteItems": 1}
    assert calls.during(lambda: desk.ask("GET", "")) == {"BatchGetItem": 1, "Query": 1}
    assert calls.during(lambda: desk.ask("GET", f"/{day(0)}")) == {"BatchGetItem": 1, "GetItem": 1}
    assert calls.during(lambda: desk.ask("GET", f"/{day(0)}/lines")) == {"BatchGetItem": 1, "GetItem": 2}
    assert calls.during(lambda: desk.ask("GET", f"/{day(0)}/csv")) == {"BatchGetItem": 1, "GetItem": 1, "Query": 1}


def test_the_cost_of_closing_does_not_grow_with_the_books(desk: Desk, sales: Sales, calls: Calls) -> None:
    for number in range(9):
        sales.sell(noon(number))
        sales.sell(noon(number, 1))
    desk.closed(8)
    sales.sell(noon(9))
    wanted = {"BatchGetItem": 2, "GetItem": 1, "Query": 3, "TransactWriteItems": 1}
    assert calls.during(lambda: desk.close(9)) == wanted


def test_an_entry_that_is_not_its_effects_is_not_signed_for(
    desk: Desk, sales: Sales, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold = sales.sell(noon(0))
    from tests.integration.ledger.test_books import stored as effect_of

    row = effect_of(sold)
    row.postings = (row.postings or "").replace("900", "901")
    row.save()
    monkeypatch.setattr("chalicelib.core.log.crash", lambda error: None)
    assert desk.close(0).status == 500
    assert statements() == []


def test_every_statement_can_be_made_again_byte_for_byte(desk: Desk, sales: Sales) -> None:
    sold = sales.sell(noon(0))
    desk.closed(0)
    sales.sell(noon(0, 2))
    sales.refund(sold, noon(1))
    desk.closed(1)
    late = sales.sell(noon(1, 5))
    found = [service.reproduce(FARM, day(n)) for n in (0, 1)]
    assert [each.same for each in found] == [True, True]
    assert [each.unstated for each in found] == [0, 1]
    desk.closed(2)
    assert service.reproduce(FARM, day(1)).unstated == 0
    assert late.entry_id in stated_ids()


def test_LEDGER_a_statement_that_was_changed_is_not_made_again(desk: Desk, sales: Sales) -> None:
    for n in range(2):
        sales.sell(noon(0, n))
    desk.closed(1)
    page = table.get(stored._PageRow, stored._page_key(FARM, day(0), 1))
    head = table.get(stored._StatementRow, stored._head_key(FARM, day(0)))
    assert page is not None
    assert head is not None
    lines, document = page.lines, head.document or ""
    for changed in (lines.replace("900", "901", 1), json.dumps(json.loads(lines)[:1])):
        page.lines = changed
        page.save()
        assert not service.reproduce(FARM, day(0)).same
    page.lines = lines
    page.save()
    head.document = document.replace('"closing_fen":1800', '"closing_fen":1801')
    assert head.document != document
    head.save()
    assert [service.reproduce(FARM, day(n)).same for n in (0, 1)] == [False, False]
    head.document, signature = document, head.signature
    head.signature = store.load_statement(FARM, day(1)).signature
    head.save()
    assert not service.reproduce(FARM, day(0)).same
    head.signature = signature
    head.save()
    assert [service.reproduce(FARM, day(n)).same for n in (0, 1)] == [True, True]
