"""What linking and scenarios cost at DynamoDB, counted under the client while the versions in force are in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from tests.integration.linking.cities import a_scale, counts, found, publish
from tests.integration.scenarios.test_publishing import table
from tests.world import AUDITOR, LIBRARY, XIAMEN, Answer, World

LOOK = {"BatchGetItem": 1}
READ = {"GetItem": 1}
WRITE = {"TransactWriteItems": 1}
DECIDE = LOOK | WRITE


def cost(world: World, request: Callable[[], Answer], status: int = 200) -> dict[str, int]:
    """The operations that a request causes."""
    with world.calls() as calls:
        answer = request()
    assert answer.status == status, answer.text
    return dict(Counter(calls.names))


@pytest.mark.parametrize("who", ["xm-612", "hz-705", "zz-100", "wx-750", "fz-700"])
def test_deciding_is_one_read_and_one_write(world: World, who: str) -> None:
    world.opening(who, "library")
    world.decide(LIBRARY, who, "library")
    code = world.show(who, LIBRARY)
    body = {"scenario_id": "library", "pass_code": code}
    assert cost(world, lambda: world.decide(LIBRARY, who, "library")) == DECIDE
    assert cost(world, lambda: world.post("/v1/decisions", LIBRARY, body, key=f"budget-{who}")) == DECIDE
    assert cost(world, lambda: world.post("/v1/decisions", LIBRARY, body, key=f"budget-{who}")) == DECIDE
    assert cost(world, lambda: world.ask_for_self(who, "library")) == DECIDE


@pytest.mark.parametrize("who", ["xm-612", "hz-705", "wx-750"])
def test_openings_are_one_read(world: World, who: str) -> None:
    world.opening(who, "library")
    assert cost(world, lambda: world.send("GET", "/v1/me/openings?city=xiamen", f"citizen:{who}")) == LOOK
    assert (
        cost(world, lambda: world.send("GET", "/v1/me/openings?city=xiamen&district=haicang", f"citizen:{who}")) == LOOK
    )


def test_a_refusal_costs_one_read_more(world: World) -> None:
    stranger = world.newcomer("xiamen", 640)
    assert cost(world, lambda: world.decide(LIBRARY, stranger, "library"), 403) == LOOK | READ
    invented = {"scenario_id": "library", "subject_id": "p1_" + "a" * 60}
    assert cost(world, lambda: world.post("/v1/decisions", LIBRARY, invented), 403) == READ
    code = world.show("xm-612", LIBRARY)
    body = {"scenario_id": "library", "pass_code": code}
    world.post("/v1/decisions", LIBRARY, body)
    assert cost(world, lambda: world.post("/v1/decisions", LIBRARY, body), 409) == DECIDE | READ


def test_a_receipt_is_one_read_and_its_replay_one_write_more(world: World) -> None:
    receipt = world.decide(LIBRARY, "hz-705", "library").body["receipt_id"]
    assert cost(world, lambda: world.send("GET", f"/v1/me/receipts/{receipt}", "citizen:hz-705")) == READ
    assert cost(world, lambda: world.post(f"/v1/receipts/{receipt}/replay", AUDITOR)) == READ | WRITE


def test_publishing_a_table_reads_the_city_and_writes_once(own_world: World) -> None:
    path, lint = "/v1/cities/xiamen/scenarios", "/v1/cities/xiamen/scenario-lint"
    own_world.post(lint, XIAMEN, table("library"))
    assert cost(own_world, lambda: own_world.post(lint, XIAMEN, table("library"))) == LOOK | READ
    assert cost(own_world, lambda: own_world.post(path, XIAMEN, table("library")), 201) == LOOK | READ | WRITE


def test_publishing_a_distribution_reads_city_and_reference_and_writes_once(own_world: World) -> None:
    found(own_world, "quanzhou", a_scale())
    own_world.opening("hz-705", "library")
    first = cost(own_world, lambda: publish(own_world, "quanzhou", counts()), 201)
    assert first == {"BatchGetItem": 1, "GetItem": 3, "TransactWriteItems": 1}
    second = cost(own_world, lambda: publish(own_world, "quanzhou", counts()), 201)
    assert second == {"BatchGetItem": 1, "GetItem": 1, "TransactWriteItems": 1}


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/v1/cities/xiamen/scenarios", {"Query": 1}),
        ("/v1/cities/xiamen/scenarios?limit=2", {"Query": 1}),
        ("/v1/cities/xiamen/scenarios/library", READ),
        ("/v1/cities/xiamen/scenarios/library/versions/1", {}),
        ("/v1/cities/hangzhou/concordances", {"Query": 1}),
        ("/v1/cities/hangzhou/concordances/1", {}),
        ("/v1/cities/hangzhou/concordances/current", LOOK),
        ("/v1/cities/hangzhou/concordances/1/plot", {}),
        ("/v1/cities/hangzhou/concordances/1/plot?to=xiamen", LOOK),
        ("/v1/cities/hangzhou/concordances/1/distribution-plot", {}),
    ],
)
def test_reading_is_one_call_or_none(world: World, path: str, wanted: dict[str, int]) -> None:
    world.send("GET", path)
    assert cost(world, lambda: world.send("GET", path)) == wanted
