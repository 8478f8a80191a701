"""Concordances over HTTP: versions that never change, their hashes, their pictures, and when they are in force."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from chalicelib.core import clock
from tests.integration.linking.cities import GRADES, a_scale, counts, found, publish, publish_scale, quantiles
from tests.world import World, days_ahead

NUMERIC = ("xiamen", "hangzhou", "fuzhou", "zhengzhou")


@pytest.fixture(scope="module", autouse=True)
def _cities(world: World) -> None:
    found(world, "quanzhou", a_scale())
    assert publish(world, "quanzhou", counts()).status == 201
    assert publish(world, "quanzhou", quantiles()).status == 201


def digest(document: dict[str, Any]) -> str:
    """The hash of a concordance, worked out as a reader of the documentation would."""
    content = {name: value for name, value in document.items() if name != "sha256"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("city", [*NUMERIC, "wuxi", "quanzhou"])
def test_LINK_the_hash_of_a_document_can_be_worked_out_from_it(world: World, city: str) -> None:
    document = world.get(f"/v1/cities/{city}/concordances/current")
    assert digest(document) == document["sha256"]
    assert digest({**document, "link_sd": 9}) != document["sha256"]
    brief = world.get(f"/v1/cities/{city}/concordances?limit=1")["items"][0]
    assert brief == {name: document[name] for name in brief}


@pytest.mark.parametrize("city", NUMERIC)
def test_LINK_the_table_rises_within_its_bounds(world: World, city: str) -> None:
    document = world.get(f"/v1/cities/{city}/concordances/current")
    scores, values = zip(*document["knots"], strict=True)
    assert list(scores) == sorted(set(scores))
    assert list(values) == sorted(set(values))
    for (lower, upper), value in zip(document["bounds"], values, strict=True):
        assert 0 <= lower <= value <= upper <= 1000


def test_LINK_a_version_never_changes(own_world: World) -> None:
    world, path = own_world, "/v1/cities/quanzhou/concordances"
    first = world.send("GET", f"{path}/1")
    later = publish(world, "quanzhou", counts(n=900, counts=[[400, 300], [500, 400], [600, 200]]))
    assert (later.body["version"], later.body["supersedes"]) == (3, 2)
    again = world.send("GET", f"{path}/1")
    assert (again.text, again.headers["etag"]) == (first.text, first.headers["etag"])
    for method in ("PUT", "PATCH", "DELETE", "POST"):
        assert world.send(method, f"{path}/1", "city:quanzhou").code == "method-not-allowed"


def test_ONCE_the_same_publication_again_is_the_same_version(own_world: World) -> None:
    first = publish(own_world, "quanzhou", counts(), key="published-once")
    again = publish(own_world, "quanzhou", counts(), key="published-once")
    assert (again.text, again.status, again.replayed) == (first.text, 201, True)
    assert publish(own_world, "quanzhou", quantiles(), key="published-once").code == "idempotency-key-reused"
    assert own_world.get("/v1/cities/quanzhou/control")["concordances_published"] == 3


def test_a_list_goes_on_newest_first(world: World) -> None:
    path = "/v1/cities/quanzhou/concordances?limit=1"
    first = world.get(path)
    second = world.get(f"{path}&cursor={first['next']}")
    assert [page["items"][0]["version"] for page in (first, second)] == [2, 1]
    third = world.get(f"{path}&cursor={second['next']}") if second["next"] else {"items": [], "next": None}
    assert third == {"items": [], "next": None}
    foreign = world.send("GET", f"/v1/cities/hangzhou/concordances?limit=1&cursor={first['next']}")
    assert foreign.code == "cursor-invalid"
    assert world.send("GET", f"{path}&cursor=abc").code == "cursor-invalid"
    assert world.send("GET", "/v1/cities/quanzhou/concordances?limit=0").code == "invalid-request"


@pytest.mark.parametrize("version", ["0", "3", "-1", "1.5", "latest", "9" * 100, "a" * 170, "%E4%B8%80"])
def test_a_version_that_is_not_there_is_not_found(world: World, version: str) -> None:
    for rest in ("", "/plot", "/distribution-plot"):
        assert world.send("GET", f"/v1/cities/quanzhou/concordances/{version}{rest}").code == "not-found"


@pytest.mark.parametrize("city", [*NUMERIC, "quanzhou"])
@pytest.mark.parametrize("rest", ["plot", "distribution-plot"])
def test_concordances_and_distributions_are_drawn(world: World, city: str, rest: str) -> None:
    drawn = world.send("GET", f"/v1/cities/{city}/concordances/current/{rest}")
    assert (drawn.status, drawn.headers["content-type"]) == (200, "image/svg+xml"), drawn.text
    assert drawn.text.startswith("<svg")
    assert drawn.text.rstrip().endswith("</svg>")


def test_cut_points_only_are_drawn_without_a_table(world: World) -> None:
    # Cut points only: there is no curve, and the picture says so over the grades.
    assert world.send("GET", "/v1/cities/wuxi/concordances/current/plot").text.startswith("<svg")
    assert world.send("GET", "/v1/cities/wuxi/concordances/current/distribution-plot").text.startswith("<svg")


def test_a_link_is_drawn_where_there_is_one(world: World) -> None:
    def plot(city: str, to: str) -> Any:
        return world.send("GET", f"/v1/cities/{city}/concordances/current/plot?to={to}")

    assert plot("hangzhou", "xiamen").text.startswith("<svg")
    assert plot("wuxi", "xiamen").code == "link-not-numeric"
    for nowhere in ("nowhere", "", "x" * 4000, "%00", "%E5%8E%A6%E9%97%A8"):
        assert plot("hangzhou", nowhere).code == "not-found"


def test_LINK_a_new_scale_leaves_the_old_table_out_of_force(own_world: World) -> None:
    world, path = own_world, "/v1/cities/quanzhou/concordances"
    old = world.send("GET", f"{path}/current").text
    publish_scale(world, "quanzhou", a_scale(maximum=750))
    for rest in ("", "/plot", "/distribution-plot"):
        assert world.send("GET", f"{path}/current{rest}").code == "city-not-linked"
    assert world.send("GET", "/v1/cities/xiamen/concordances/1/plot?to=quanzhou").code == "city-not-linked"
    body = {"from_city": "quanzhou", "to_city": "xiamen", "scores": [500]}
    assert world.post("/v1/conversions", "city:quanzhou", body).code == "city-not-linked"
    assert world.send("GET", f"{path}/2").text == old
    assert world.send("GET", f"{path}/2/plot").status == 200
    new = publish(world, "quanzhou", counts()).body
    assert (new["version"], new["scale_version"], new["supersedes"]) == (3, 2, None)
    assert world.post("/v1/conversions", "city:quanzhou", body).status == 200


def test_LINK_a_scale_whose_lower_scores_are_better_is_linked_alike(world: World) -> None:
    upside_down = [{**GRADES[0]}, {**GRADES[1], "cut": 500}, {**GRADES[2], "cut": 400}]
    found(world, "longyan", a_scale(direction="lower_is_better", grades=upside_down))
    rows = [[1000 - score, people] for score, people in reversed(counts()["counts"])]
    assert publish(world, "longyan", counts(counts=rows)).status == 201
    found(world, "nanping", a_scale())
    assert publish(world, "nanping", counts()).status == 201

    def converted(city: str, scores: list[int]) -> list[float]:
        body = {"from_city": city, "to_city": "xiamen", "scores": scores}
        items = world.post("/v1/conversions", f"city:{city}", body).body["items"]
        return [item["reference_value"] for item in items]

    scores = list(range(300, 701, 50))
    assert converted("longyan", scores) == converted("nanping", [1000 - score for score in scores])


def test_periods_are_judged_by_the_citys_own_calendar(own_world: World) -> None:
    with clock.fixed(days_ahead(0).replace(month=3, day=31, hour=15, minute=59, second=59)):
        early = publish(own_world, "quanzhou", counts(period_to=f"{clock.now().year}-04-01"))
        assert (early.code, early.pointers) == ("distribution-out-of-date", ["/period_to"])
    with clock.fixed(days_ahead(0).replace(month=3, day=31, hour=16, minute=0, second=0)):
        assert publish(own_world, "quanzhou", counts(period_to=f"{clock.now().year}-04-01")).status == 201
