"""Scores reported one by one and by the hundred, over HTTP, and what each bad report gets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.core import clock, commit
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict, Unavailable
from chalicelib.scores import store
from chalicelib.scores.service import reporting
from chalicelib.subjects.store import AccountRow, account_key
from tests.conftest import Calls
from tests.integration.scores import world
from tests.integration.scores.conftest import City, row


def months(xiamen: City, subject: str) -> list[tuple[str, int]]:
    items = xiamen.get(f"/subjects/{subject}/score/history").body["items"]
    return [(item["month"], item["score"]) for item in items]


def score(name: str) -> int | None:
    found = world.held(name)
    return None if found is None else found.score


def test_ONCE_a_report_again_is_unchanged_and_a_later_one_replaces_it(xiamen: City) -> None:
    (subject,) = world.enrol("an")
    assert xiamen.report(subject, 650, "2025-08-20T00:00:00Z").body == {"outcome": "stored"}
    assert xiamen.report(subject, 650, "2025-08-20T00:00:00Z").body == {"outcome": "unchanged"}
    assert xiamen.report(subject, 660, "2025-08-20T00:00:00Z", 2).body == {"outcome": "stored"}
    assert score("an") == 660
    assert months(xiamen, subject) == [("2025-08", 660)]


def test_ONCE_an_older_report_never_overwrites(xiamen: City) -> None:
    (subject,) = world.enrol("an")
    xiamen.report(subject, 650, "2025-08-15T00:00:00Z", 2)
    for as_of, revision in (("2025-08-14T23:59:59.999Z", 9), ("2025-08-15T00:00:00Z", 1)):
        answer = xiamen.report(subject, 700, as_of, revision)
        assert (answer.status, answer.code) == (409, "score-outdated")
    assert score("an") == 650
    assert months(xiamen, subject) == [("2025-08", 650)]


def test_an_older_report_completes_the_history_and_leaves_the_score(xiamen: City) -> None:
    (subject,) = world.enrol("an")
    xiamen.report(subject, 650, "2025-09-15T00:00:00Z")
    assert xiamen.report(subject, 610, "2025-07-15T00:00:00Z").code == "score-outdated"
    assert xiamen.report(subject, 600, "2025-07-10T00:00:00Z").code == "score-outdated"
    assert score("an") == 650
    assert months(xiamen, subject) == [("2025-09", 650), ("2025-07", 610)]


def test_another_score_under_the_same_time_and_revision_is_a_conflict(xiamen: City) -> None:
    (subject,) = world.enrol("an")
    xiamen.report(subject, 650)
    answer = xiamen.report(subject, 651)
    assert (answer.status, answer.code, answer.body["errors"][0]["pointer"]) == (409, "score-conflict", "/revision")
    assert score("an") == 650


@pytest.mark.parametrize("bad", [-1, 1001, 655])
def test_a_score_off_the_scale_is_refused(api: Any, bad: int) -> None:
    world.found_city(step=10)
    (subject,) = world.enrol("an")
    answer = City(api).report(subject, bad)
    assert (answer.status, answer.code) == (422, "score-off-scale")
    assert score("an") is None


@pytest.mark.parametrize(
    "bad",
    [
        {"score": "650"},
        {"score": True},
        {"score": 650.5},
        {"score": None},
        {"revision": 0},
        {"revision": 1_000_000},
        {"revision": "1"},
        {"as_of": "2025-08-01"},
        {"as_of": "2025-08-01T00:00:00+08:00"},
        {"as_of": "2025-02-30T00:00:00Z"},
        {"as_of": "2025-08-01T23:59:60Z"},
        {"as_of": "0001-01-01T00:00:00Z"},
        {"as_of": "2025-08-01T00:00:00.1234Z"},
        {"as_of": "2025-08-01T00:00:00Z\n"},
        {"as_of": 1754006400},
        {"scale_version": 0},
        {"extra": 1},
    ],
)
def test_a_report_of_another_form_is_refused_at_its_place(xiamen: City, bad: dict[str, Any]) -> None:
    (subject,) = world.enrol("an")
    body = {"score": 650, "as_of": "2025-08-01T00:00:00Z", "revision": 1, "scale_version": 1, **bad}
    answer = xiamen.api.put(f"{xiamen.path}/subjects/{subject}/score", body, token=xiamen.token)
    assert (answer.status, answer.code) == (422, "invalid-request")
    assert score("an") is None


def test_the_future_begins_in_five_minutes(xiamen: City) -> None:
    (subject,) = world.enrol("an")
    now = datetime.now(UTC).replace(microsecond=0)
    with clock.fixed(now):
        soon, later = clock.stamp(now + timedelta(minutes=5)), clock.stamp(now + timedelta(minutes=5, milliseconds=1))
        assert xiamen.report(subject, 650, later).code == "score-in-future"
        assert xiamen.report(subject, 650, soon).body == {"outcome": "stored"}


def test_only_the_current_scale_counts_but_a_repetition_stays_one(xiamen: City) -> None:
    (subject,) = world.enrol("an")
    assert xiamen.report(subject, 650, scale_version=2).code == "scale-not-current"
    xiamen.report(subject, 650)
    world.publish_scale(2)
    assert xiamen.report(subject, 650).body == {"outcome": "unchanged"}
    assert xiamen.report(subject, 660, revision=2).code == "scale-not-current"
    assert xiamen.report(subject, 650, scale_version=2).code == "score-conflict"
    assert xiamen.report(subject, 660, revision=2, scale_version=2).body == {"outcome": "stored"}


def test_unknown_foreign_and_closed_subjects_are_the_same_nobody(xiamen: City) -> None:
    world.enrol("an", "closed")
    world.enrol("visitor", city_id="hangzhou")
    world.close("closed")
    nobody = [
        world.subject_id("never-enrolled"),
        world.subject_id("an", to="hangzhou"),
        world.subject_id("visitor", "hangzhou", to="xiamen"),
        world.subject_id("closed"),
        "p1_invented",
        "x",
    ]
    texts = {xiamen.report(subject, 650).text for subject in nobody}
    texts |= {xiamen.get(f"/subjects/{subject}/score").text for subject in nobody}
    texts |= {xiamen.get(f"/subjects/{subject}/score/history").text for subject in nobody}
    assert len(texts) == 1
    assert '"not-found"' in texts.pop()
    assert {reply["code"] for reply in xiamen.batch(*map(row, nobody)).body["rows"]} == {"not-found"}


def test_a_city_reports_for_itself_only_and_not_while_suspended(xiamen: City) -> None:
    (subject,) = world.enrol("an")
    stranger = xiamen.api.as_city("hangzhou")
    body = {"score": 650, "as_of": "2025-08-01T00:00:00Z", "revision": 1, "scale_version": 1}
    path = f"{xiamen.path}/subjects/{subject}/score"
    assert xiamen.api.put(path, body, token=stranger).code == "not-found"
    assert xiamen.api.put(path, body, token=xiamen.api.as_city("xiamen", scope="scores:read")).code == "forbidden"
    assert xiamen.api.put(path, body, token=xiamen.api.as_citizen(subject, "xiamen")).code == "forbidden"
    world.change_control(active=False)
    assert xiamen.report(subject, 650).code == "city-suspended"
    assert xiamen.batch(row(subject)).code == "city-suspended"


def test_a_batch_answers_every_row_in_its_order(xiamen: City) -> None:
    an, bo, ce = world.enrol("an", "bo", "ce")
    xiamen.report(bo, 700, "2025-09-01T00:00:00Z")
    xiamen.report(ce, 700)
    answer = xiamen.batch(
        row(an), row(bo), row(ce, 701), row(ce, 700), row(an, 5000), row(an, "=1+1"), "row", row("p1_nobody"), {}
    )
    assert answer.status == 200
    replies = answer.body["rows"]
    assert [(r["outcome"], r["code"]) for r in replies] == [
        ("stored", None),
        ("outdated", "score-outdated"),
        ("conflict", "score-conflict"),
        ("unchanged", None),
        ("refused", "score-off-scale"),
        ("refused", "invalid-request"),
        ("refused", "invalid-request"),
        ("refused", "not-found"),
        ("refused", "invalid-request"),
    ]
    assert replies[5]["sentence"] == {"zh": "score：应为整数", "en": "score: must be of type integer"}
    assert "=1+1" not in answer.text
    assert (score("an"), score("bo"), score("ce")) == (650, 700, 700)


def test_ONCE_the_same_subject_twice_in_a_batch_is_one_report_after_another(xiamen: City) -> None:
    an, bo = world.enrol("an", "bo")
    early, late = "2025-07-31T00:00:00Z", "2025-09-01T00:00:00Z"
    rows = [row(an, 600, early), row(an, 610, late), row(bo, 620, late), row(bo, 630, early), row(an, 610, late)]
    rows += [row(an, 611, late), row(bo, 631, early, 2)]
    outcomes = [reply["outcome"] for reply in xiamen.batch(*rows).body["rows"]]
    assert outcomes == ["stored", "stored", "stored", "outdated", "unchanged", "conflict", "outdated"]
    assert (score("an"), score("bo")) == (610, 620)
    assert months(xiamen, an) == [("2025-09", 610), ("2025-07", 600)]
    assert months(xiamen, bo) == [("2025-09", 620), ("2025-07", 631)]


def test_a_batch_has_one_to_five_hundred_rows(xiamen: City) -> None:
    assert xiamen.batch().code == "invalid-request"
    assert xiamen.batch(*[row("p1_nobody")] * 501).code == "invalid-request"
    assert len(xiamen.batch(*[row("p1_" + "a" * 150)] * 500).body["rows"]) == 500


def test_a_chunk_is_one_read_and_one_write(xiamen: City, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "ROWS_AT_ONCE", 3)
    rows = [row(subject) for subject in world.enrol("an", "bo", "ce", "du", "en", "fu", "ge")]
    one = {"BatchGetItem": 1, "TransactWriteItems": 1}
    xiamen.report(rows[6]["subject_id"], 650)
    assert calls.during(lambda: xiamen.report(rows[0]["subject_id"], 650)) == one
    assert calls.during(lambda: xiamen.report(rows[0]["subject_id"], 650)) == {"BatchGetItem": 1}
    assert calls.during(lambda: xiamen.batch(*rows[:3])) == one
    assert calls.during(lambda: xiamen.batch(*rows)) == {"BatchGetItem": 3, "TransactWriteItems": 1}
    late = [row(r["subject_id"], as_of="2025-06-01T00:00:00Z") for r in rows[:3]]
    assert calls.during(lambda: xiamen.batch(*late)) == {"BatchGetItem": 2, "TransactWriteItems": 1}
    assert calls.during(lambda: xiamen.batch(*late)) == {"BatchGetItem": 2}


def test_a_month_is_the_citys_own_month(api: Any) -> None:
    world.found_city()
    world.found_city("lisbon", zone="America/New_York")
    (here,) = world.enrol("an")
    (there,) = world.enrol("an", city_id="lisbon")
    midnight = "2025-07-31T16:00:00Z"
    City(api).report(here, 650, midnight)
    City(api, "lisbon").report(there, 650, midnight)
    assert months(City(api), here) == [("2025-08", 650)]
    assert months(City(api, "lisbon"), there) == [("2025-07", 650)]


def test_a_row_that_loses_a_race_is_decided_again_without_its_neighbours(
    xiamen: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    an, bo = world.enrol("an", "bo")
    prepare, races = reporting._prepare, iter([700])

    def overtaken(unit: Unit, *args: Any) -> Any:
        results = prepare(unit, *args)
        for other in races:
            xiamen.report(an, other, "2025-09-01T00:00:00Z")
        return results

    monkeypatch.setattr(reporting, "_prepare", overtaken)
    assert [reply["outcome"] for reply in xiamen.batch(row(an), row(bo)).body["rows"]] == ["outdated", "stored"]
    assert (score("an"), score("bo")) == (700, 650)


def test_ONCE_a_late_report_overtaken_by_a_later_one_of_its_month_does_not_overwrite_it(
    xiamen: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    (an,) = world.enrol("an")
    xiamen.report(an, 650, "2025-09-15T00:00:00Z")
    prepare, races = reporting._prepare, iter(["2025-07-15T00:00:00Z"])

    def overtaken(unit: Unit, *args: Any) -> Any:
        results = prepare(unit, *args)
        for other in races:
            xiamen.report(an, 615, other)
        return results

    monkeypatch.setattr(reporting, "_prepare", overtaken)
    assert xiamen.report(an, 610, "2025-07-10T00:00:00Z").code == "score-outdated"
    assert months(xiamen, an) == [("2025-09", 650), ("2025-07", 615)]


@pytest.mark.parametrize("as_of", ["2025-10-01T00:00:00Z", "2025-07-01T00:00:00Z"])
def test_an_account_closed_meanwhile_gets_neither_score_nor_history(
    xiamen: City, monkeypatch: pytest.MonkeyPatch, as_of: str
) -> None:
    (an,) = world.enrol("an")
    xiamen.report(an, 600, "2025-09-01T00:00:00Z")
    prepare = reporting._prepare

    def closed(unit: Unit, *args: Any) -> Any:
        results = prepare(unit, *args)
        world.close("an")
        return results

    monkeypatch.setattr(reporting, "_prepare", closed)
    assert xiamen.report(an, 650, as_of).code == "not-found"
    assert score("an") == 600
    found, _ = store.list_months(world.account_of("an"), 10, None)
    assert [month for month, _ in found] == ["2025-09"]


def test_a_row_that_keeps_losing_is_answered_alone(xiamen: City, monkeypatch: pytest.MonkeyPatch) -> None:
    an, bo = world.enrol("an", "bo")
    ref = world.account_of("an")
    attempt = commit._attempt

    def losing(writes: Any) -> bool:
        unit = Unit()
        unit.check(AccountRow, account_key(ref), AccountRow.status == "active", Conflict)
        before = AccountRow.get(*account_key(ref)).score
        done = attempt(writes) if not _touches(writes, ref) else False
        assert before == AccountRow.get(*account_key(ref)).score
        return done

    monkeypatch.setattr(commit, "_attempt", losing)
    replies = xiamen.batch(row(an), row(bo)).body["rows"]
    assert [(reply["outcome"], reply["code"]) for reply in replies] == [("refused", Unavailable.code), ("stored", None)]


def _touches(writes: Any, ref: Any) -> bool:
    """Whether a transaction writes this account, as another transaction on it would make DynamoDB refuse."""
    seen: list[str] = []

    class Recorder:
        def save(self, saved: Any, *_: Any) -> None:
            seen.append(saved.pk)

        def update(self, updated: Any, *_: Any) -> None:
            seen.append(updated.pk)

        def condition_check(self, _: Any, pk: str, *__: Any, **___: Any) -> None:
            seen.append(pk)

    for write in writes:
        write.apply(Recorder())
    return account_key(ref).pk in seen
