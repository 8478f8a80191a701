"""The gate to publication: everything that is wrong with a table, each with its place and a sentence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date

from chalicelib.cities.rules import Scale, Scheme
from chalicelib.scenarios.rules.compiled import compile_area
from chalicelib.scenarios.rules.findings import Finding, finding
from chalicelib.scenarios.rules.lint_names import lint_head, lint_words
from chalicelib.scenarios.rules.lint_ranges import grid_of, lint_ranges
from chalicelib.scenarios.rules.lint_reward import lint_reward
from chalicelib.scenarios.rules.tables import TierTable

MAX_FINDINGS = 200


def lint(
    table: TierTable,
    scale: Scale,
    scheme: Scheme,
    districts: Collection[str] | None = None,
    forbidden_facts: Collection[str] = (),
) -> list[Finding]:
    """Everything that can be said against the table on this scale.

    Words come first; ranges and rewards are judged once every word means something. There are at most
    ``MAX_FINDINGS``.

    Args:
        scheme: What the rules of the score allow it to be used for.
        districts: The ids of the city's districts; None: they are not checked.
        forbidden_facts: Attributes that this city's rules forbid to ask for, besides those that the law does.
    """
    found = [*lint_head(table, scale, scheme)]
    words = [*lint_words(table, scale, districts, forbidden_facts)]
    if may_publish(words):
        for index, area in enumerate(table.areas):
            at = f"/areas/{index}"
            compiled = compile_area(area, scale, at)
            grid = grid_of(compiled, scale)
            words += lint_ranges(compiled, grid, scale, at)
            words += lint_reward(compiled, grid, scale, at, table.fact_names)
    return _bounded(found + words)


def _bounded(found: list[Finding]) -> list[Finding]:
    """At most ``MAX_FINDINGS``, errors before warnings if some must go, the last saying how many did."""
    if len(found) <= MAX_FINDINGS:
        return found
    ranked = sorted(found, key=lambda item: item.severity != "error")
    return [*ranked[: MAX_FINDINGS - 1], finding("more-findings", "", n=len(found) - MAX_FINDINGS + 1)]


def may_publish(findings: Iterable[Finding]) -> bool:
    """Whether no finding is an error."""
    return all(item.severity != "error" for item in findings)


def lint_versions(tables: Sequence[TierTable]) -> list[Finding]:
    """What the tables say against each other: one scenario has one table a day. Pointers start at the list's index."""
    found = []
    for index, table in enumerate(tables):
        for other in tables[:index]:
            if (table.city_id, table.scenario_id) != (other.city_id, other.scenario_id):
                continue
            if table.version == other.version:
                found.append(finding("version-repeated", f"/{index}/version", a=table.version))
            if max(table.valid_from, other.valid_from) < min(_end(table), _end(other)):
                found.append(finding("versions-overlap", f"/{index}/valid_from", a=other.version, b=table.version))
    return found


def _end(table: TierTable) -> date:
    return table.valid_to or date.max
