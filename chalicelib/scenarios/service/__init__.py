"""What happens with scenarios: publish a table, lint one, decide, replay."""

from chalicelib.scenarios.service.deciding import (
    Ask,
    OwnReceipt,
    Receipt,
    RecipientNotNamed,
    Replay,
    decide,
    decide_for_self,
    openings,
    own_receipt,
    replay,
)
from chalicelib.scenarios.service.publishing import LintRefused, VersionBackdated, VersionOutOfTurn, lint, publish

__all__ = [
    "Ask",
    "LintRefused",
    "OwnReceipt",
    "Receipt",
    "RecipientNotNamed",
    "Replay",
    "VersionBackdated",
    "VersionOutOfTurn",
    "decide",
    "decide_for_self",
    "lint",
    "openings",
    "own_receipt",
    "publish",
    "replay",
]
