"""An audit of all that is stored of lines and holds: what does not fit, each in a sentence; nothing, if all of it does.

It reads items as they lie there and trusts none of the code that wrote them. It knows of no interest and no fees: where
all is repaid within the free days, all of this holds.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Item = dict[str, Any]


@dataclass
class Books:
    """What was found, as it lies there. Steps are the replies that effects have kept of captures and voids."""

    lines: dict[str, Any] = field(default_factory=dict)
    holds: dict[str, Any] = field(default_factory=dict)
    steps: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    charges: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    events: dict[str, list[tuple[str, str, Any]]] = field(default_factory=lambda: defaultdict(list))
    money: Counter[str] = field(default_factory=Counter)
    used: dict[str, int] = field(default_factory=dict)
    policies: dict[str, Any] = field(default_factory=dict)


def audit(items: Iterable[Item], *, lowered_from: int | None = None) -> list[str]:
    """What is wrong with the items of a table.

    Args:
        lowered_from: The highest limit that was, if any was lowered since something was held by it.
    """
    books = _read(items)
    found = [*_limits(books, lowered_from or 0), *_holds(books), *_steps(books), *_bills(books), *_money(books)]
    return sorted([*found, *_exposure(books)])


def _read(items: Iterable[Item]) -> Books:
    books = Books()
    for item in items:
        pk, sk, kind = item["pk"]["S"], item["sk"]["S"], item["kind"]["S"]
        place = pk.split("#", 2)[-1]
        if kind == "credit-line":
            books.lines[f"{place}/{sk}"] = json.loads(item["document"]["S"])
        elif kind == "credit-hold":
            books.holds[place] = json.loads(item["document"]["S"])
        elif kind == "credit-event":
            what, event = item["what"]["S"], json.loads(item["document"]["S"])
            books.events[place].append((sk, what, event))
            if what == "charge":
                books.charges[place].append(event)
        elif kind == "exposure":
            books.used[f"{place}/{int(sk)}"] = int(item["used_fen"]["N"])
        elif kind == "medical-policy-version":
            books.policies[f"{place}/{int(sk)}"] = json.loads(item["document"]["S"])
        elif kind == "effect" and item["purpose"]["S"].partition(":")[0] in {"capture", "void"}:
            reply = json.loads(item["reply"]["S"])
            books.steps[reply["hold"]["hold_id"]].append(reply | {"effect_id": item["effect_id"]["S"]})
        elif kind == "effect" and item["purpose"]["S"].partition(":")[0] in {"repay", "refund-charge"}:
            facts = json.loads(item["facts"]["S"])
            books.money[item["effect_id"]["S"]] += facts.get("event", facts)["amount_fen"]
    return books


def _on(books: Books, name: str) -> dict[str, Any]:
    """The holds that were placed on a line."""
    return {hold_id: one for hold_id, one in books.holds.items() if _line_of(one) == name}


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _line_of(held: Any) -> str:
    return f"{held['ref']['person_id']}/{held['bank_id']}"


def _limits(books: Books, lowered_from: int) -> Iterator[str]:
    for name, credit in books.lines.items():
        line = credit["line"]
        held = sum(hold["left_fen"] for hold in line["holds"].values())
        if line["posted_fen"] + held > max(line["limit_fen"], lowered_from):
            yield f"LIMIT {name}: {line['posted_fen']} are posted and {held} held of {line['limit_fen']}"
        captured = sum(one["hold"]["captured_fen"] for one in _on(books, name).values())
        charged = sum(charge["amount_fen"] for charge in books.charges.get(name, ()))
        if captured != charged:
            yield f"LIMIT {name}: {charged} are charged, {captured} were captured"
        posted = _posted(books.events.get(name, []))
        if line["posted_fen"] != posted:
            yield f"LIMIT {name}: {line['posted_fen']} are posted, {posted} were captured and not paid or given back"


def _posted(events: Iterable[tuple[str, str, Any]]) -> int:
    """What a line's events leave posted on it, one after another: what is due first is paid first."""
    owed, off = dict[tuple[str, str, str], int](), set[tuple[str, str, str]]()
    for _, what, event in sorted(events, key=lambda found: found[0]):
        if what == "charge":
            owed[event["due_on"], event["day"], event["charge_id"]] = event["amount_fen"]
        elif what == "refund":
            place = next(place for place in owed if place[2] == event["charge_id"])
            owed[place] = max(0, owed[place] - event["amount_fen"])
        elif what == "write_off":
            off |= owed.keys()
        elif what == "repayment":
            left = event["amount_fen"]
            for place in sorted(owed):
                part = min(left, owed[place])
                owed[place], left = owed[place] - part, left - part
    return sum(fen for place, fen in owed.items() if place not in off)


def _money(books: Books) -> Iterator[str]:
    """Whether every refund and every repayment was done by an effect, once and as much as it says."""
    done, names = Counter[str](), Counter[str]()
    for found in books.events.values():
        for _, what, event in found:
            if what in {"refund", "repayment"}:
                names[event[f"{what}_id"]] += 1
                done[event[f"{what}_id"].partition("~")[0]] += event["amount_fen"]
    yield from (f"ONCE {name}: it is there {many} times" for name, many in names.items() if many > 1)
    for effect_id in done.keys() | books.money.keys():
        if done[effect_id] != books.money[effect_id]:
            yield f"ONCE {effect_id}: {done[effect_id]} were paid or given back, {books.money[effect_id]} by its effect"


def _holds(books: Books) -> Iterator[str]:
    """Whether what lies on a line is what is open of its holds, and no other."""
    for name, credit in books.lines.items():
        line = credit["line"]
        there = {hold_id: (hold["left_fen"], hold["expires_at"]) for hold_id, hold in line["holds"].items()}
        due = {
            hold_id: (one["hold"]["amount_fen"] - one["hold"]["captured_fen"], one["hold"]["expires_at"])
            for hold_id, one in _on(books, name).items()
            if one["hold"]["ended"] is None and _instant(one["hold"]["expires_at"]) > _instant(line["as_of"])
        }
        for hold_id in there.keys() | due.keys():
            if there.get(hold_id) != due.get(hold_id):
                yield f"LIMIT {name}: {there.get(hold_id)} of a hold lies on the line, {due.get(hold_id)} is open"
    for one in books.holds.values():
        if one["hold"]["captured_fen"] > one["hold"]["amount_fen"]:
            yield f"LIMIT {_line_of(one)}: more was captured of a hold than it held"


def _steps(books: Books) -> Iterator[str]:
    """Whether each hold was captured and ended by its effects, each once."""
    for hold_id, one in books.holds.items():
        hold, steps = one["hold"], books.steps.get(hold_id, [])
        captured = sum(step["captured_fen"] for step in steps)
        if captured != hold["captured_fen"]:
            yield f"ONCE {_line_of(one)}: {captured} were captured by effects, {hold['captured_fen']} by the hold"
        ends = sum(step["hold"]["state"] != "open" for step in steps)
        if ends != (hold["ended"] is not None):
            yield f"ONCE {_line_of(one)}: a hold was ended by {ends} effects"
        back = captured + sum(step["returned_fen"] for step in steps)
        if back > hold["amount_fen"] or (hold["ended"] and back != hold["amount_fen"]):
            yield f"LIMIT {_line_of(one)}: {back} of a hold of {hold['amount_fen']} were captured or given back"


def _bills(books: Books) -> Iterator[str]:
    """Whether each capture is a charge on the bill of its line."""
    for name in books.lines:
        steps = [step for hold_id in _on(books, name) for step in books.steps.get(hold_id, ())]
        wanted = Counter((step["effect_id"], step["captured_fen"]) for step in steps if step["captured_fen"])
        found = Counter((charge["charge_id"], charge["amount_fen"]) for charge in books.charges.get(name, ()))
        if found != wanted:
            yield f"LEDGER {name}: charges are not what was captured"


def _exposure(books: Books) -> Iterator[str]:
    """Whether each shard counts what is booked for its lines, and no more than its part of the cap."""
    booked: Counter[str] = Counter()
    for credit in books.lines.values():
        booked[f"{credit['bank_id']}/{credit['shard']}"] += credit["booked_fen"]
    for shard in booked.keys() | books.used.keys():
        if booked[shard] != books.used.get(shard, 0):
            yield f"LIMIT {shard}: {books.used.get(shard, 0)} are counted, {booked[shard]} are booked"
    for shard, used in books.used.items():
        bank_id, _, number = shard.partition("/")
        caps = [one for name, one in books.policies.items() if name.rpartition("/")[0] == bank_id]
        each, more = divmod(max(one["exposure_cap_fen"] for one in caps), caps[-1]["shards"])
        if used > each + (int(number) < more):
            yield f"LIMIT {shard}: more is booked than the bank's cap bears"
