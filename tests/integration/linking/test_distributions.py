"""Distributions over HTTP: what cannot bear a link gets a code and a place of its own, and nothing is written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.local.demo_data.tables import zhejiang
from tests.integration.linking.cities import a_scale, counts, found, period, publish, quantiles
from tests.world import AUDITOR, BANK, World, days_ahead

CITY = "quanzhou"


@pytest.fixture(scope="module", autouse=True)
def _cities(world: World) -> None:
    found(world, CITY, a_scale())
    found(world, "putian", a_scale(grades=[]))
    found(world, "sanming")


def with_row(body: dict[str, Any], index: int, *row: Any) -> dict[str, Any]:
    """The distribution with one row changed."""
    rows = [list(r) for r in body[body["kind"]]]
    rows[index] = list(row)
    return {**body, body["kind"]: rows}


def bands(*percents: float, n: int = 1000) -> dict[str, Any]:
    edges = [300, 500, 600, 750]
    rows = [[lo, hi, percent] for lo, hi, percent in zip(edges, edges[1:], percents, strict=False)]
    return {"kind": "bands", **period(), "n": n, "bands": rows}


BAD = {
    "counts that do not sum": (counts(n=1), "distribution-sum-off", ["/n"]),
    "one count changed": (with_row(counts(), 4, 500, 261), "distribution-sum-off", ["/n"]),
    "falling quantiles": (with_row(quantiles(), 50, 0.48, 300), "distribution-invalid", ["/quantiles/50/1"]),
    "falling ranks": (with_row(quantiles(), 50, 0.01, 500), "distribution-invalid", ["/quantiles/50/0"]),
    "quantiles left out": (quantiles(quantiles=[[0.1, 300], [0.9, 700]]), "distribution-invalid", ["/quantiles"]),
    "a negative count": (with_row(counts(), 2, 400, -1), "distribution-invalid", ["/counts/2/1"]),
    "a fractional count": (with_row(counts(), 2, 400, 150.5), "distribution-invalid", ["/counts/2/1"]),
    "a fraction of people": (counts(n=1100.5), "distribution-invalid", ["/n"]),
    "a boolean count": (with_row(counts(), 2, 400, True), "invalid-request", ["/counts/2/1"]),
    "a score off the scale": (with_row(counts(), 8, 750, 30), "score-off-scale", ["/counts/8/0"]),
    "a score off the grid": (with_row(counts(), 2, 410, 150), "score-off-scale", ["/counts/2/0"]),
    "a fractional score": (with_row(counts(), 2, 400.5, 150), "score-off-scale", ["/counts/2/0"]),
    "scores that do not rise": (with_row(counts(), 2, 350, 150), "distribution-invalid", ["/counts/2/0"]),
    "too few people": ({**counts(), "n": 199, "counts": [[300, 99], [500, 100]]}, "distribution-too-small", ["/n"]),
    "a period not over": (counts(**period(62)), "distribution-out-of-date", ["/period_to"]),
    "a period too old": (counts(**period(-432)), "distribution-out-of-date", ["/period_to"]),
    "an empty period": (counts(period_from=period()["period_to"]), "distribution-out-of-date", ["/period_to"]),
    "a day that never was": (counts(period_from="2025-02-30"), "invalid-request", ["/period_from"]),
    "a year that never was": (counts(period_from="0000-01-01"), "invalid-request", ["/period_from"]),
    "degenerate before its sum": (bands(96, 1, 0.5), "distribution-degenerate", []),
    "shares that miss 100 %": (bands(60, 30, 9), "distribution-sum-off", ["/bands"]),
    "one score only": (counts(n=500, counts=[[500, 500]]), "distribution-degenerate", []),
    "nobody at all": (counts(n=0, counts=[[500, 0], [550, 0]]), "distribution-degenerate", []),
    "a range only": ({"kind": "range", **period()}, "link-range-only", []),
    "data of another kind": ({**quantiles(), "kind": "counts"}, "distribution-invalid", ["/counts"]),
    "two kinds at once": ({**counts(), "quantiles": [[0.5, 500]]}, "distribution-invalid", ["/quantiles"]),
    "no kind": ({**period(), "n": 1000}, "invalid-request", ["/kind"]),
    "cuts with half a person": ({"kind": "cuts", **period(), "n": 0.5}, "invalid-request", ["/n"]),
    "cuts with fewer than nobody": ({"kind": "cuts", **period(), "n": -1}, "invalid-request", ["/n"]),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_LINK_a_bad_distribution_is_refused_in_its_place_and_writes_nothing(world: World, name: str) -> None:
    body, code, pointers = BAD[name]
    with world.nothing_written():
        answer = publish(world, CITY, body)
    assert (answer.code, answer.pointers) == (code, pointers), answer.text


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("260]", "NaN]", "malformed-request"),
        ("260]", "Infinity]", "malformed-request"),
        ("260]", "260.0]", "malformed-request"),
        ("260]", "1e400]", "malformed-request"),
        ("260]", "9007199254740993]", "malformed-request"),
        ("260]", '"260"]', "invalid-request"),
        ("260]", "null]", "invalid-request"),
        ('"kind"', '"kind": "range", "kind"', "malformed-request"),
    ],
)
def test_LINK_numbers_that_are_none_are_refused(world: World, old: str, new: str, code: str) -> None:
    raw = json.dumps(counts()).replace(old, new).encode()
    with world.nothing_written():
        assert publish(world, CITY, None, raw=raw).code == code


def test_LINK_a_refusal_stands_in_the_way_of_nobody(world: World) -> None:
    assert publish(world, CITY, counts(n=1), key="first-try-of-quanzhou").code == "distribution-sum-off"
    good = publish(world, CITY, counts(), key="second-try-of-quanzhou")
    assert (good.status, good.body["version"], good.body["supersedes"]) == (201, 1, None)
    assert world.get(f"/v1/cities/{CITY}/control")["concordance_version"] == 1


def test_only_the_city_itself_publishes(world: World) -> None:
    path = f"/v1/cities/{CITY}/distributions"
    assert world.post(path, "city:hangzhou", counts()).code == "not-found"
    for actor in (BANK, AUDITOR, "citizen:xm-612", "alliance:alliance"):
        assert world.post(path, actor, counts()).code == "forbidden"
    assert world.send("POST", path, "", counts()).code == "unauthenticated"
    assert publish(world, "nowhere", counts()).code == "not-found"


def test_a_city_needs_a_scale_first(world: World) -> None:
    assert publish(world, "sanming", counts()).code == "scale-missing"
    assert world.post("/v1/cities/sanming/distribution-plots", "city:sanming", counts()).code == "scale-missing"


def test_LINK_cut_points_without_grades_are_a_range_only(world: World) -> None:
    assert publish(world, "putian", {"kind": "cuts", **period()}).code == "link-range-only"


def test_LINK_the_reference_is_never_renormed(world: World) -> None:
    before = world.items()
    body = {"kind": "counts", **period(), "n": 1000, "counts": [[500, 400], [650, 600]]}
    with world.nothing_written():
        assert publish(world, "xiamen", body).code == "reference-frozen"
    assert world.items() == before


def test_LINK_zhejiang_as_published_is_degenerate_and_can_be_drawn(world: World) -> None:
    found(world, "zhejiang", a_scale(minimum=0, maximum=1000, step=1, grades=[]))
    body = zhejiang(days_ahead(0).date())
    refused = publish(world, "zhejiang", body)
    assert (refused.status, refused.code) == (422, "distribution-degenerate")
    drawn = world.post("/v1/cities/zhejiang/distribution-plots", "city:zhejiang", body)
    assert (drawn.status, drawn.headers["content-type"]) == (200, "image/svg+xml")
    assert drawn.text.startswith("<svg")


def test_a_draft_that_cannot_be_read_is_not_drawn(world: World) -> None:
    def plot(body: Any) -> Any:
        return world.post(f"/v1/cities/{CITY}/distribution-plots", f"city:{CITY}", body)

    assert plot(with_row(counts(), 8, 750, 30)).code == "score-off-scale"
    assert plot(with_row(counts(), 2, 400, -1)).code == "distribution-invalid"
    for body in (counts(n=1), quantiles(), bands(60, 30, 9), {"kind": "range", **period()}):
        assert plot(body).status == 200, body["kind"]


def test_a_body_beyond_the_routes_limit_is_too_large(world: World) -> None:
    raw = json.dumps(counts()).encode()
    assert publish(world, CITY, None, raw=raw + b" " * 262_144).code == "too-large"
