"""A decision as bytes that can be had again from the same facts and the same table.

The trace holds distances, and over so short a scale even its digest could be searched for the score: both are for the
citizen and the auditor, never for a partner.
"""

from __future__ import annotations

import hashlib
from typing import Any

from chalicelib.core.codec import canonical
from chalicelib.scenarios.rules.decisions import Decision

ENGINE_VERSION = 1


def trace(decision: Decision) -> bytes:
    """Everything the decision rests on and says, as canonical JSON: UTF-8, keys sorted, no spaces, no fractions."""
    return canonical(_content(decision)).encode()


def digest(decision: Decision) -> str:
    """SHA-256 of the trace, in hexadecimal."""
    return hashlib.sha256(trace(decision)).hexdigest()


def _content(decision: Decision) -> dict[str, Any]:
    compiled, facts = decision.compiled, decision.facts
    return {
        "engine_version": ENGINE_VERSION,
        "city_id": decision.city_id,
        "scenario_id": decision.scenario_id,
        "table_version": decision.version,
        "table_sha256": compiled.sha256,
        "scale_version": compiled.scale.version,
        "on": facts.on.isoformat(),
        "district": facts.district,
        "area": decision.area,
        "standing": facts.standing.kind,
        "resident": facts.resident,
        "outcome": decision.outcome,
        "tier_ids": decision.tier_ids,
        "benefit": dict(decision.benefit),
        "reasons": [
            {
                "code": reason.code,
                "tier_id": reason.tier_id,
                "verdict": reason.verdict,
                "params": dict(reason.params),
                "missing": decision.shortfall(reason),
            }
            for reason in decision.reasons
        ],
        "next_tier": _next(decision),
    }


def _next(decision: Decision) -> dict[str, Any] | None:
    step = decision.next_tier
    if step is None:
        return None
    return {
        "tier_id": step.tier_id,
        "gives": dict(step.gives),
        "threshold": step.threshold,
        "facts_too": step.facts_too,
        "missing": decision.missing_points,
    }
