"""What the functions beside the API really touch is what their roles let them touch: each call, key by key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any

import pytest
import yaml

from app import daily
from chalicelib.core import effect, table
from chalicelib.core.commit import Unit
from chalicelib.medical.service import repaying
from infra.template import FOLDER
from tests.integration.medical.calendar import FREE_DAYS, Calendar
from tests.integration.medical.clinic import Clinic
from tests.world import World

Touched = set[tuple[str, str]]


def touched_by(name: str, params: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Action and partition key of everything that a call touches, as IAM sees it."""
    if name == "TransactWriteItems":
        for item in params["TransactItems"]:
            ((verb, part),) = item.items()
            action = "ConditionCheckItem" if verb == "ConditionCheck" else f"{verb}Item"
            yield action, part.get("Item", part.get("Key"))["pk"]["S"]
    elif name == "BatchGetItem":
        (asked,) = params["RequestItems"].values()
        yield from ((name, key["pk"]["S"]) for key in asked["Keys"])
    elif name == "Query":
        names = params.get("ExpressionAttributeNames", {})
        parts = re.findall(r"(#\w+) = (:\w+)", params["KeyConditionExpression"])
        yield from (
            (name, params["ExpressionAttributeValues"][value]["S"])
            for attribute, value in parts
            if names[attribute] == "pk"
        )
    else:
        yield name, params["Key"]["pk"]["S"]


@contextmanager
def watched() -> Iterator[Touched]:
    """Everything that is touched inside the block."""
    found: Touched = set()

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        found.update(touched_by(model.name, params))

    events = table.connection().client.meta.events
    events.register("before-parameter-build.dynamodb", note)
    try:
        yield found
    finally:
        events.unregister("before-parameter-build.dynamodb", note)


def rights(role: str) -> list[tuple[str, str]]:
    """What a role may do to the table: actions, each with a pattern of partition keys."""
    document = yaml.safe_load((FOLDER / "roles.yaml").read_text("utf-8"))
    (policy,) = document["Resources"][role]["Properties"]["Policies"]
    found = []
    for statement in policy["PolicyDocument"]["Statement"]:
        (patterns,) = statement.get("Condition", {"": {}}).values()
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        for pattern in patterns.get("dynamodb:LeadingKeys", ()):
            found += [(action.removeprefix("dynamodb:"), pattern) for action in actions]
    return found


def is_allowed(one: tuple[str, str], granted: list[tuple[str, str]]) -> bool:
    return any(one[0] == action and fnmatchcase(one[1], pattern) for action, pattern in granted)


@pytest.fixture
def calendar(own_world: World) -> Calendar:
    return Calendar(Clinic(own_world))


def test_what_the_stream_and_the_daily_function_touch_is_what_they_may(calendar: Calendar) -> None:
    world, by_stream, by_day = calendar.world, Touched(), Touched()
    people = [calendar.clinic.insured(), calendar.clinic.insured(city="hangzhou")]
    for who in people:
        calendar.charge(who, 5_000)
    world.rescore(people[0], 525)
    world.rescore(people[1], 705)
    for days in (0, FREE_DAYS - 5, FREE_DAYS + 1, FREE_DAYS + 110):
        world.forget()
        with calendar.on(days), watched() as found:
            daily({}, None)
        by_day |= found
        world.forget()
        with calendar.on(days), watched() as found:
            calendar.pump.drain()
        by_stream |= found
    assert {action for action, _ in rights("DailyRole")} - {action for action, _ in by_day} <= {"GetItem"}
    assert not [one for one in sorted(by_day) if not is_allowed(one, rights("DailyRole"))]
    assert not [one for one in sorted(by_stream) if not is_allowed(one, rights("StreamRole"))]
    assert {"BatchGetItem", "ConditionCheckItem", "PutItem", "Query"} <= {action for action, _ in by_stream}


def test_what_restores_an_account_is_the_outboxes_right_too(calendar: Calendar) -> None:
    who = calendar.clinic.insured()
    calendar.charge(who, 5_000)
    calendar.run(FREE_DAYS - 5)
    calendar.run(FREE_DAYS + 1)
    person_id = calendar.world.ref(who).person_id
    with calendar.on(FREE_DAYS + 1) as now, watched() as found:
        intent = effect.intend("xiamen", "bank", "demo-bank", "repay", "pay-here", None)
        fen = calendar.owed(who, FREE_DAYS + 1)
        repaying.repay(Unit(), intent, now, "xiamen", person_id, "demo-bank", fen)
    assert calendar.suspensions(who) == []
    assert ("UpdateItem", f"xiamen#account#{person_id}") in found
    assert not [one for one in sorted(found) if not is_allowed(one, rights("OutboxRole"))]
