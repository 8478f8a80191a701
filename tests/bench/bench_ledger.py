"""What exporting a million postings costs beside reading them, and that it takes no more memory than exporting a tenth.

Both sides read the same bytes: pages of 500 entries as a Query of a book's index answers them, in DynamoDB's JSON, each
entry with its postings as the ledger stores them. Half of the entries are sales whose discount three parties fund
(8 postings), half are captures (4 postings), of 5,000 patients in turn, each of whom has an account and four captures.

The floor parses a page and the postings of each entry with the standard library's ``json``, and adds up the amounts.
Ours parses the page in the same way, and hands each line to the store, which makes it an entry and checks all of it
(place, ids, names of accounts, amounts, sums); the export is then made of the entries, to the last character, and
thrown away. Neither side has a network, botocore or PynamoDB.

Memory is the most that a process of its own has held while the journal of beancount is made: the export that keeps
most, a sum per account.
"""

from __future__ import annotations

import gc
import json
import resource
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from multiprocessing import get_context
from time import process_time
from typing import Any, NamedTuple, cast

import tests.conftest  # noqa: F401 - the environment comes before whatever reads it

# isort: split

from chalicelib.core import clock, effect, ids
from chalicelib.core.effect import EffectRow
from chalicelib.core.table import Gsi2
from chalicelib.ledger import store
from chalicelib.ledger.rules import Entry, Party, Posting, beancount_lines, combined, csv_lines, trial_balance
from chalicelib.ledger.store.entries import _entry as entry_in
from tests.unit.ledger.books import BANK, FARM, funded

LIMIT = 3.0
MEMORY_LIMIT = 1.1
ENTRIES_A_PAGE = 500
POSTINGS_A_PAGE = 3_000
PAGES = 20
ROUNDS = 4
REPEATS = 3
POSTINGS = 1_000_000
HOSPITAL = Party("xiamen", "hospital", "demo-hospital")
BEGIN = datetime(2026, 5, 1, tzinfo=UTC)

Run = Callable[[Iterable[bytes]], object]


class _Line(NamedTuple):
    """A line of the index, with the attributes by which the store makes an entry of it."""

    effect_id: str
    at: str
    purpose: str
    gsi2pk: str
    gsi2sk: str
    postings: str


def measure() -> list[dict[str, Any]]:
    """The median of several runs over many postings, told for a million: name, floor, ours, ratio, limit."""
    pages = [_page(range(first, first + ENTRIES_A_PAGE)) for first in range(0, PAGES * ENTRIES_A_PAGE, ENTRIES_A_PAGE)]
    assert _floor(pages[0]) == 0, "debits equal credits"
    exports: dict[str, Run] = {
        "CSV": lambda some: deque(csv_lines(_entries(some)), maxlen=0),
        "beancount": lambda some: deque(beancount_lines(_entries(some)), maxlen=0),
        "trial balance": lambda some: trial_balance(_entries(some)),
    }
    runs: dict[str, list[_Cost]] = {name: [] for name in exports}
    for _ in range(REPEATS):
        for name, run in exports.items():
            runs[name].append(_cost(run, [*pages] * ROUNDS))
    costs = {name: sorted(some, key=lambda cost: cost.ratio)[REPEATS // 2] for name, some in runs.items()}
    figures = [
        {"name": f"ledger.export, a million postings, {name}", "floor_us": cost.floor_us, "ours_us": cost.ours_us,
         "ratio": cost.ratio, "limit": LIMIT}
        for name, cost in costs.items()
    ]  # fmt: skip
    return [*figures, _memory(pages)]


def _page(numbers: range) -> bytes:
    """What a Query of a book's index answers."""
    items = [_item(_entry(number)) for number in numbers]
    last = {name: items[-1][name] for name in ("pk", "sk", "gsi2pk", "gsi2sk")}
    return json.dumps(
        {"Count": len(items), "Items": items, "LastEvaluatedKey": last, "ScannedCount": len(items)},
        separators=(",", ":"),
    ).encode()


def _item(entry: Entry) -> Mapping[str, Any]:
    intent = effect.Intent(entry.entry_id, "", "merchant", "qingliu-farm", "POST /v1/quotes/{quote_id}/redemption", "")
    stored = store.effect_row(intent, entry, facts={}, reply={}).serialize()
    shown = ("pk", "sk", "gsi2pk", "gsi2sk", *(Gsi2.Meta.projection.non_key_attributes or ()))
    return {name: stored[name] for name in shown}


def _entry(number: int) -> Entry:
    """Every other entry is a sale, the others are captures."""
    at = BEGIN + timedelta(seconds=30 * number)
    book, postings, purpose = _sale(number) if number % 2 else _capture(number)
    entry_id = f"xiamen.{ids.encode(number.to_bytes(16, 'big'))}"
    return Entry(entry_id, at, clock.day_in("Asia/Shanghai", at), purpose, book.name, combined(postings))


def _sale(number: int) -> tuple[Party, Sequence[Posting], str]:
    return FARM, funded(3600 + number, 1800, 5000, 3000, 2000), "redeem:xiamen/farm_produce"


def _capture(number: int) -> tuple[Party, Sequence[Posting], str]:
    fen, patient = 10_000 + number, ids.pairwise(f"bank:{BANK.city_id}/{BANK.partner_id}", f"xiamen/s_{number:026d}")
    postings = [
        Posting(HOSPITAL.account("sales"), "CNY", -fen),
        Posting(HOSPITAL.account("receivable"), "CNY", fen),
        Posting(BANK.account("payable"), "CNY", -fen),
        Posting(BANK.account("loans", patient), "CNY", fen),
    ]
    return HOSPITAL, postings, "capture:xiamen/credit_medical"


def _floor(page: bytes) -> int:
    """The sum of a page's amounts, read as barely as can be."""
    total = 0
    for item in json.loads(page)["Items"]:
        for _, _, amount in json.loads(item["postings"]["S"])["postings"]:
            total += amount
    return total


def _entries(pages: Iterable[bytes]) -> Iterator[Entry]:
    """The entries of the same pages, as the store reads them."""
    for page in pages:
        for item in json.loads(page)["Items"]:
            line = _Line(
                item["effect_id"]["S"], item["at"]["S"], item["purpose"]["S"],
                item["gsi2pk"]["S"], item["gsi2sk"]["S"], item["postings"]["S"],
            )  # fmt: skip
            yield entry_in(line.effect_id, cast("EffectRow", line))


class _Cost(NamedTuple):
    """The processor's microseconds for a million postings."""

    floor_us: float
    ours_us: float

    @property
    def ratio(self) -> float:
        return self.ours_us / self.floor_us


def _cost(run: Run, pages: Sequence[bytes]) -> _Cost:
    """A run over the pages. The floor reads each page just before the run does, so that both meet the same machine."""
    floor_seconds = 0.0

    def watched() -> Iterator[bytes]:
        nonlocal floor_seconds
        for page in pages:
            began = process_time()
            _floor(page)
            floor_seconds += process_time() - began
            yield page

    gc.collect()
    began = process_time()
    run(watched())
    ours_seconds = process_time() - began - floor_seconds
    us = 1e6 * POSTINGS / (len(pages) * POSTINGS_A_PAGE)
    return _Cost(floor_seconds * us, ours_seconds * us)


def _memory(pages: Sequence[bytes]) -> dict[str, Any]:
    """The most that a process of its own has held over the first tenth of a million postings, and over all of them."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as child:
        floor_mb, ours_mb = child.submit(_peaks_mb, pages).result()
    return {
        "name": "ledger.export, memory for a million beside 100,000", "floor_mb": floor_mb, "ours_mb": ours_mb,
        "ratio": ours_mb / floor_mb, "limit": MEMORY_LIMIT,
    }  # fmt: skip


def _peaks_mb(pages: Sequence[bytes]) -> list[float]:
    tenth = POSTINGS // POSTINGS_A_PAGE // 10
    peaks_kb: list[int] = []

    def watched() -> Iterator[bytes]:
        for number, page in enumerate(islice(cycle(pages), 10 * tenth)):
            if number in {tenth, 10 * tenth - 1}:
                peaks_kb.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
            yield page

    deque(beancount_lines(_entries(watched())), maxlen=0)
    return [peak_kb / 1e3 for peak_kb in peaks_kb]


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2, ensure_ascii=False))
