"""How statements are asked for: by the partner whose they are, and by its city."""

from __future__ import annotations

import re
from datetime import date
from functools import partial

from chalicelib.core import cursor
from chalicelib.core.auth import PARTNER_KINDS, allow
from chalicelib.core.errors import InvalidRequest, NotFound
from chalicelib.core.http import CSV, Call, Reply, Routes, page_size, paged
from chalicelib.core.text import Text
from chalicelib.ledger import service, store
from chalicelib.ledger.rules import (
    DayNotOver,
    DaysOutstanding,
    NothingToState,
    Party,
    Statement,
    StatementInParts,
    pages_of_part,
    parts_of,
    statement_csv,
)
from chalicelib.partners.store import load_partner

routes = Routes("ledger", __name__)
_STATEMENTS = "/v1/cities/{city_id}/partners/{partner_id}/statements"
_READ = allow("city", *PARTNER_KINDS, scope="statements:read", owner="city_id", tenant="partner_id")
# The city bears a part of what is stated, so it reads the sums; single sales, by the second, are the partner's alone.
_READ_LINES = allow(*PARTNER_KINDS, scope="statements:read", owner="city_id", tenant="partner_id")
_WRITE = allow("city", *PARTNER_KINDS, scope="statements:write", owner="city_id", tenant="partner_id")
_DAY = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}")
_PART = re.compile(r"[1-9][0-9]{0,5}")


@routes.route(
    "POST", _STATEMENTS + "/{day}", policy=_WRITE, effect=True, reply="ledger/signed_statement.json",
    problems=(DayNotOver, NothingToState, DaysOutstanding),
    summary=Text("结账至某日，取得当日对账单", "Close the days up to this one; its statement"),
)  # fmt: skip
def close_day(call: Call) -> Reply:
    """Days are closed in their order. Closing a day again changes nothing and gives the same statement."""
    party, day = _party(call), _day(call)
    return Reply(service.close_days(call.unit, call.effect_intent, call.now, party, day))


@routes.route(
    "GET", _STATEMENTS, policy=_READ, query=("limit", "cursor"), reply="ledger/statement_list.json",
    summary=Text("对账单目录，由近及远", "The statements of a partner, newest first"),
)  # fmt: skip
def list_statements(call: Call) -> Reply:
    party = _party(call)
    return paged(call, f"statements:{party.name}", partial(store.list_statements, party))


@routes.route(
    "GET", _STATEMENTS + "/{day}", policy=_READ, reply="ledger/signed_statement.json",
    summary=Text("某日对账单（含签名）", "The statement of a day, signed"),
)  # fmt: skip
def get_statement(call: Call) -> Reply:
    """The signature is a compact JWS, of type `egret-statement+jwt`, over the canonical JSON of `statement`."""
    return Reply(store.load_statement(_party(call), _day(call)))


@routes.route(
    "GET", _STATEMENTS + "/{day}/lines", policy=_READ_LINES, query=("limit", "cursor"),
    reply="ledger/statement_lines.json",
    summary=Text("某日对账单明细", "The lines of a statement"),
)  # fmt: skip
def list_lines(call: Call) -> Reply:
    statement = _statement(call)
    purpose = f"statement-lines:{statement.party}:{statement.day}"
    number, start = cursor.open_cursor(call.query.get("cursor"), purpose) or (1, 0)
    limit = page_size(call.query)
    lines = store.load_page(statement, number) if statement.pages else []
    stop = start + limit
    here = stop < len(lines)
    after = [number, stop] if here else [number + 1, 0] if number < statement.pages else None
    return Reply({"items": lines[start:stop], "next": cursor.make_cursor(after, purpose)})


@routes.route(
    "GET", _STATEMENTS + "/{day}/csv", policy=_READ_LINES, query=("part",), content_type=CSV,
    problems=(StatementInParts,),
    summary=Text("下载某日对账单（CSV，可用 Excel 打开）", "A statement as CSV, which Excel opens"),
)  # fmt: skip
def get_csv(call: Call) -> Reply:
    statement = _statement(call)
    part = _part(call, parts_of(statement))
    lines = store.lines_of(statement, *pages_of_part(statement, part))
    name = f"{call.path['partner_id']}-{statement.day}{f'-{part}' if part else ''}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Reply("".join(statement_csv(statement, lines, part)), content_type=CSV, headers=headers)


def _party(call: Call) -> Party:
    """The partner of the path, as a party. Raises: NotFound: there is none, or the caller is one of another kind."""
    partner = load_partner(call.path["city_id"], call.path["partner_id"])
    if call.caller.kind not in {"city", partner.kind}:
        raise NotFound
    return Party(partner.city_id, partner.kind, partner.partner_id)


def _day(call: Call) -> date:
    """The day of the path. Raises: NotFound: it is no day."""
    text = call.path["day"]
    if not _DAY.fullmatch(text):
        raise NotFound
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotFound from None


def _statement(call: Call) -> Statement:
    return store.load_statement(_party(call), _day(call)).statement


def _part(call: Call, parts: int) -> int | None:
    """The part that is asked for. Raises: InvalidRequest: it is no number; NotFound: the statement has no such part."""
    text = call.query.get("part")
    if text is None:
        return None
    if not _PART.fullmatch(text):
        raise InvalidRequest.at("", Text("part 须为正整数", "part is a whole number from 1"))
    if int(text) > parts:
        raise NotFound
    return int(text)
