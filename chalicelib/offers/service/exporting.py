"""A merchant's offers as a spreadsheet, each in its latest version: what can be changed there and imported again."""

from __future__ import annotations

import json
from collections.abc import Iterator

from chalicelib.core import table
from chalicelib.offers import store
from chalicelib.offers.rules import Offer, write_drafts
from chalicelib.offers.rules.heads import Head

# As much as an import takes, the mark at the beginning included.
MAX_BYTES = 4_000_000
# A reply goes out of a function as JSON in ASCII, where a Chinese character is twice its bytes: 6 MB with its headers.
# Source: AWS Lambda quotas (synchronous invocation payload).
MAX_REPLY_BYTES = 5_800_000
# Spreadsheet programs take a file for UTF-8 by this mark, and read Chinese wrongly without.
MARK = "\ufeff"
_HEADS_A_PAGE = 100


def export_drafts(city_id: str, merchant_id: str, after: str | None) -> tuple[str, str | None]:
    """The spreadsheet, and the offer to go on after where there are more than an import or a reply takes (None: that is
    all).

    Whole offers only; every cell is neutral.
    """
    header = write_drafts([])
    parts, last = [MARK, header], after
    size, sent = _weight(MARK + header)
    for offer in _latest(city_id, merchant_id, after):
        rows = write_drafts([offer]).removeprefix(header)
        more = _weight(rows)
        size, sent = size + more[0], sent + more[1]
        if size > MAX_BYTES or sent > MAX_REPLY_BYTES:
            return "".join(parts), last
        parts.append(rows)
        last = offer.offer_id
    return "".join(parts), None


def _weight(text: str) -> tuple[int, int]:
    """How many bytes a text has, in a file and in a reply."""
    return len(text.encode()), len(json.dumps(text)) - 2


def _latest(city_id: str, merchant_id: str, after: str | None) -> Iterator[Offer]:
    """The latest version of every offer, by id."""
    while True:
        found, after = store.list_heads(city_id, merchant_id, _HEADS_A_PAGE, after)
        rows = table.fetch(map(_key, found)) if found else {}
        yield from (store.version_in(rows, _key(head)) for head in found)
        if after is None:
            return


def _key(head: Head) -> table.Key:
    return store.version_key(head.city_id, head.merchant_id, head.offer_id, head.latest)
