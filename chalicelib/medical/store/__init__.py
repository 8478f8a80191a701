"""What is remembered of medical credit. Keys: ``docs/keys.md``."""

from chalicelib.medical.store.credit import (
    book,
    hold_in,
    hold_key,
    line_in,
    line_key,
    save_hold,
    save_line,
)
from chalicelib.medical.store.policies import (
    head_in,
    head_key,
    load_version,
    save_head,
    save_version,
    version_in,
    version_key,
)

__all__ = [
    "book",
    "head_in",
    "head_key",
    "hold_in",
    "hold_key",
    "line_in",
    "line_key",
    "load_version",
    "save_head",
    "save_hold",
    "save_line",
    "save_version",
    "version_in",
    "version_key",
]
