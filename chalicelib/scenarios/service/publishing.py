"""Publishing a table, with the linter as the gate."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib.cities import store as cities
from chalicelib.cities.rules import Control, Span, require_active, with_scenario
from chalicelib.core import clock, effect
from chalicelib.core.commit import Unit
from chalicelib.core.effect import Intent
from chalicelib.core.errors import Fault, Problem
from chalicelib.core.text import Text
from chalicelib.linking.service import ScaleMissing
from chalicelib.scenarios import store
from chalicelib.scenarios.rules import Finding, TableInvalid, TierTable, may_publish, parse_table
from chalicelib.scenarios.rules import lint as lint_table


class LintRefused(Problem):
    code = "table-lint-refused"
    status = 422
    title = Text("分档规则未通过检查", "The linter refuses this tier table")


class VersionOutOfTurn(Problem):
    code = "table-version-out-of-turn"
    status = 409
    title = Text("版本号须为下一个版本", "The version must be the next one")


class VersionBackdated(Problem):
    """A rule that changes from one request to the next could be used to feel for a score."""

    code = "table-version-backdated"
    status = 422
    title = Text("新版本最早自次日起生效", "A new version takes effect on the next day at the earliest")


def publish(unit: Unit, intent: Intent, now: datetime, city_id: str, document: Mapping[str, Any]) -> TierTable:
    """Publishes the next version of a scenario's table, in force from its first day; the linter is the gate.

    The first version may be dated back to the day on which the scenario began; every later one takes effect on the
    city's next day at the earliest, and replaces the others from its first day on.

    Raises: NotFound: no such city. CitySuspended. ScaleMissing. TableInvalid. VersionOutOfTurn.
        LintRefused: every error, its place. VersionBackdated. ControlFull.
    """
    control = require_active(cities.load_control(city_id))
    today = clock.day_in(control.time_zone, now)
    tier_table, findings = _linted(control, document)
    spans = control.scenarios.get(tier_table.scenario_id, ())
    expected = max((s.version for s in spans), default=0) + 1
    if tier_table.version != expected:
        said = Text("下一个版本号是 {n}", "The next version is {n}").format(n=expected)
        raise VersionOutOfTurn.at("/version", said)
    if not may_publish(findings):
        raise LintRefused(faults=[Fault(f.pointer, f.message) for f in findings if f.severity == "error"])
    if expected > 1 and tier_table.valid_from <= today:
        raise VersionBackdated.at("/valid_from", VersionBackdated.title)
    assert control.scale_version is not None
    store.create_version(unit, tier_table, control.scale_version)
    span = Span(tier_table.version, tier_table.valid_from, tier_table.valid_to)
    carried = with_scenario(control, tier_table.scenario_id, span, today)
    cities.save_control(unit, carried, seen_revision=control.revision, grows=True)
    facts = {"scenario_id": tier_table.scenario_id, "version": tier_table.version}
    reply = store.document_of(tier_table)
    unit.effect(effect.row(intent, now, purpose="publish-scenario", facts=facts, reply=reply))
    unit.commit()
    return tier_table


def lint(city_id: str, document: Mapping[str, Any]) -> list[Finding]:
    """Everything that can be said against a draft on its city's scale. Raises: NotFound; ScaleMissing; TableInvalid."""
    return _linted(cities.load_control(city_id), document)[1]


def _linted(control: Control, document: Mapping[str, Any]) -> tuple[TierTable, list[Finding]]:
    scale = cities.current_scale(control, ScaleMissing)
    tier_table = parse_table(document)
    if tier_table.city_id != control.city_id:
        raise TableInvalid.at("/city_id", Text("规则须属于本市", "The table must be this city's own"))
    scheme = cities.load_city(control.city_id).scheme
    return tier_table, lint_table(tier_table, scale, scheme, control.districts)
