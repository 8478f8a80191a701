"""A program: Egret on a real port with a market stall in it, until its input ends. Run it as a process of its own.

Usage: python -m tests.e2e.offers.stall FOLDER OFFER=STOCK …

It prints one line of JSON: where the server and its database listen. What a start finds in the folder it keeps.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from infra.local.stack import Stack


def main(folder: Path, stocks: dict[str, int]) -> None:
    """Serves, and lays out what is not on the shelf yet."""
    with Stack(folder) as stack:
        for offer_id, stock in stocks.items():
            _shelve(offer_id, stock)
        print(json.dumps({"url": stack.url, "database": stack.database.endpoint}), flush=True)
        sys.stdin.read()


def _shelve(offer_id: str, stock: int) -> None:
    """Puts an offer of tofu skin on the shelf as if it had been reviewed, with so much of it."""
    # Only now: the app reads its environment, which the stack has set, as it is imported.
    from chalicelib.core.commit import Unit
    from chalicelib.core.errors import Conflict
    from chalicelib.offers import store
    from chalicelib.offers.rules import Life, Product
    from chalicelib.offers.rules.heads import Head, Listed
    from tests.unit.offers import shop

    now = datetime.now(UTC)
    variant = replace(shop.TOFU, stock=stock)
    only = Product(variant.variant_id, variant.name, (variant,))
    since, until = now - timedelta(days=1), now + timedelta(days=1)
    offer = shop.offer(offer_id=offer_id, products=(only,), valid_from=since, valid_to=until)
    listed = {1: Listed(Life("scheduled", ("author",), since, "reviewer"), since, until)}
    unit = Unit()
    store.save_version(unit, offer)
    store.save_head(unit, Head("xiamen", offer.merchant_id, offer_id, offer.title, offer.category, 1, listed))
    key = store.counters.stock_key("xiamen", offer.merchant_id, offer_id, variant.variant_id)
    store.counters.open_counter(unit, key, stock)
    try:
        unit.commit()
    except Conflict:
        return  # an earlier start has done it


if __name__ == "__main__":
    main(Path(sys.argv[1]), {name: int(stock) for name, _, stock in (word.partition("=") for word in sys.argv[2:])})
