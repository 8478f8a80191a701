"""What is kept of a limit that was worked out for somebody."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.scenarios.rules import Basis


@dataclass(frozen=True, slots=True)
class Kept:
    """What an effect keeps of a limit, so that it can be worked out again.

    ``policy_sha256`` is of the version as it was approved, without the end that a later one may have given it.
    """

    bank_id: str
    policy_version: int
    policy_sha256: str
    basis: Basis
    trace_sha256: str
