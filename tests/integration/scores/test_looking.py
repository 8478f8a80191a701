"""Who may see a score, what is shown, and that a city's look leaves a trace."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from chalicelib.core import effect
from chalicelib.core.commit import Unit
from chalicelib.linking.rules import Published, build_reference
from chalicelib.linking.store import create_version
from chalicelib.subjects.store import account_pk
from tests.conftest import Calls
from tests.integration.scores import world
from tests.integration.scores.conftest import City, row


def publish(kind: str = "counts") -> None:
    """A distribution in force: nine in ten have 400 or more, four in ten 600 or more."""
    counts = tuple((score, 100 + score % 7) for score in range(300, 800, 5))
    published = Published("counts", date(2025, 1, 1), date(2025, 7, 1), n=sum(n for _, n in counts), counts=counts)
    concordance = build_reference(published, world.scale(), valid_from=date(2025, 8, 1))
    if kind == "cuts":
        published = Published("cuts", date(2025, 1, 1), date(2025, 7, 1))
    unit = Unit()
    create_version(unit, concordance, published)
    unit.commit()
    world.change_control(concordance_version=concordance.version)


def mine(xiamen: City, subject: str, rest: str = "") -> Any:
    return xiamen.api.get("/v1/me/score" + rest, token=xiamen.api.as_citizen(subject, "xiamen", face=False))


def test_the_city_and_the_person_see_the_same_score(xiamen: City) -> None:
    (subject,) = world.enrol("an")
    xiamen.report(subject, 650)
    shown = xiamen.get(f"/subjects/{subject}/score").body
    assert shown == {
        "score": 650,
        "grade": {"name": "优秀", "name_en": "优秀", "cut": 620, "edge": "ge"},
        "as_of": "2025-08-01T00:00:00Z",
        "revision": 1,
        "scale_version": 1,
        "beats_bp": None,
    }
    assert mine(xiamen, subject).body == shown


def test_the_percentile_is_the_share_below_in_the_distribution_in_force(xiamen: City) -> None:
    an, bo = world.enrol("an", "bo")
    xiamen.batch(row(an, 300), row(bo, 799))
    publish()
    assert mine(xiamen, an).body["beats_bp"] == 0
    assert mine(xiamen, bo).body["beats_bp"] == 10_000


def test_there_is_no_percentile_where_only_cuts_are_published(xiamen: City) -> None:
    (subject,) = world.enrol("an")
    xiamen.report(subject, 650)
    publish("cuts")
    assert mine(xiamen, subject).body["beats_bp"] is None


def test_a_score_on_an_earlier_scale_keeps_its_grade_and_loses_its_percentile(xiamen: City) -> None:
    (subject,) = world.enrol("an")
    xiamen.report(subject, 650)
    publish()
    world.publish_scale(2, grades=())
    world.change_control(concordance_version=1)
    shown = mine(xiamen, subject).body
    assert (shown["grade"]["name"], shown["scale_version"], shown["beats_bp"]) == ("优秀", 1, None)


def test_who_has_no_score_yet_is_told_so(xiamen: City) -> None:
    (subject,) = world.enrol("an")
    for answer in (mine(xiamen, subject), xiamen.get(f"/subjects/{subject}/score")):
        assert (answer.status, answer.code) == (404, "score-missing")
    assert mine(xiamen, subject, "/history").body == {"items": [], "next": None}
    assert mine(xiamen, world.subject_id("nobody")).code == "not-found"


def test_the_history_is_by_month_newest_first_in_pages(xiamen: City) -> None:
    (subject,) = world.enrol("an")
    for month, score in ((5, 600), (6, 610), (7, 620)):
        xiamen.report(subject, score, f"2025-0{month}-10T00:00:00Z")
    xiamen.report(subject, 621, "2025-07-11T00:00:00Z")
    first = mine(xiamen, subject, "/history?limit=2").body
    assert [(m["month"], m["score"], m["grade"]["name"]) for m in first["items"]] == [
        ("2025-07", 621, "优秀"),
        ("2025-06", 610, "良好"),
    ]
    second = mine(xiamen, subject, f"/history?limit=2&cursor={first['next']}").body
    assert ([m["month"] for m in second["items"]], second["next"]) == (["2025-05"], None)
    assert xiamen.get(f"/subjects/{subject}/score/history?cursor={first['next']}").code == "cursor-invalid"


def test_a_citys_look_is_in_the_persons_list_of_who_looked(xiamen: City, calls: Calls) -> None:
    (subject,) = world.enrol("an")
    xiamen.report(subject, 650)
    mine(xiamen, subject)
    looked = {"BatchGetItem": 1, "TransactWriteItems": 1}
    assert calls.during(lambda: mine(xiamen, subject)) == {"BatchGetItem": 1}
    assert calls.during(lambda: xiamen.get(f"/subjects/{subject}/score")) == looked
    assert calls.during(lambda: xiamen.get(f"/subjects/{subject}/score/history")) == {**looked, "Query": 1}
    looks, _ = effect.of_subject(account_pk(world.account_of("an")), 10, None)
    assert [look.purpose for look in looks] == ["look-at-score-history", "look-at-score"]
    assert {(look.actor, look.tenant) for look in looks} == {("city", "xiamen")}


def test_MINIMAL_a_trace_does_not_hold_the_score(xiamen: City) -> None:
    (subject,) = world.enrol("an")
    xiamen.report(subject, 687)
    xiamen.get(f"/subjects/{subject}/score")
    looks, _ = effect.of_subject(account_pk(world.account_of("an")), 10, None)
    stored = effect.load(looks[0].effect_id)
    assert (stored.facts, stored.reply) == ("{}", "{}")
    assert stored.at <= datetime.now(UTC)


def test_a_city_without_the_scope_to_read_sees_nothing(xiamen: City) -> None:
    (subject,) = world.enrol("an")
    xiamen.report(subject, 650)
    token = xiamen.api.as_city("xiamen", scope="scores:write")
    assert xiamen.api.get(f"{xiamen.path}/subjects/{subject}/score", token=token).code == "forbidden"
    assert xiamen.api.get("/v1/me/score", token=xiamen.token).code == "forbidden"
