"""What is remembered of offers. Keys: ``docs/keys.md``. Counters are used by module: ``counters.take``."""

from chalicelib.offers.store import counters
from chalicelib.offers.store.catalogue import chunk_in, chunk_key, load_catalogue, save_chunk
from chalicelib.offers.store.deals import (
    deal_in,
    deal_key,
    list_purchases,
    load_deal,
    quota_in,
    quota_key,
    save_deal,
    save_quota,
)
from chalicelib.offers.store.offers import (
    check_version,
    head_in,
    head_key,
    list_heads,
    list_waiting,
    load_version,
    save_head,
    save_version,
    version_in,
    version_key,
)

__all__ = [
    "check_version",
    "chunk_in",
    "chunk_key",
    "counters",
    "deal_in",
    "deal_key",
    "head_in",
    "head_key",
    "list_heads",
    "list_purchases",
    "list_waiting",
    "load_catalogue",
    "load_deal",
    "load_version",
    "quota_in",
    "quota_key",
    "save_chunk",
    "save_deal",
    "save_head",
    "save_quota",
    "save_version",
    "version_in",
    "version_key",
]
