"""What is kept of a limit that was worked out for somebody."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.scenarios.rules import Basis


@dataclass(frozen=True, slots=True)
class Kept:
    """What an effect keeps of a limit, so that it can be worked out again."""

    bank_id: str
    policy_version: int
    basis: Basis
    trace_sha256: str
