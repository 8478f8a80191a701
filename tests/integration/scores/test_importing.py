"""Imports over HTTP: opened and found again, chunk by chunk, in any order, and what each bad chunk gets."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.scores import store
from chalicelib.scores.rules import MAX_AHEAD
from chalicelib.scores.service import importing
from chalicelib.scores.store import import_key
from tests.conftest import Calls
from tests.integration.scores import world
from tests.integration.scores.conftest import City, row


@pytest.fixture
def subjects(xiamen: City) -> list[str]:
    return world.enrol("an", "bo", "ce", "du")


def job_id(xiamen: City, **more: Any) -> str:
    opened = xiamen.open(**more)
    assert opened.status == 200, opened.text
    return str(opened.body["job_id"])


def test_the_same_file_finds_its_import(xiamen: City, subjects: list[str]) -> None:
    opened = xiamen.open(rows_total=4)
    assert opened.body["state"] == "open"
    assert (opened.body["next_row"], opened.body["rows_total"]) == (1, 4)
    job = opened.body["job_id"]
    xiamen.rows(job, 1, row(subjects[0]))
    found = xiamen.open(file_name="renamed.csv")
    assert (found.body["job_id"], found.body["next_row"], found.body["file_name"]) == (job, 2, "八月.csv")
    assert found.body == xiamen.get(f"/score-imports/{job}").body
    assert xiamen.open("b" * 64).body["job_id"] != job


def test_ONCE_opening_again_under_the_same_key_gives_the_first_reply(xiamen: City, subjects: list[str]) -> None:
    body = {"file_sha256": "a" * 64, "file_name": "a.csv", "scale_version": 1}
    path = f"{xiamen.path}/score-imports"
    first = xiamen.api.post(path, body, token=xiamen.token, key="open-august")
    xiamen.rows(first.body["job_id"], 1, row(subjects[0]))
    again = xiamen.api.post(path, body, token=xiamen.token, key="open-august")
    assert (again.text, again.headers["idempotency-replayed"]) == (first.text, "true")
    other = xiamen.api.post(path, {**body, "file_name": "b.csv"}, token=xiamen.token, key="open-august")
    assert other.code == "idempotency-key-reused"
    assert xiamen.api.post(path, body, token=xiamen.token, key="").code == "idempotency-key-missing"


def test_ONCE_finding_an_import_is_a_request_like_any_other(xiamen: City, subjects: list[str]) -> None:
    body = {"file_sha256": "a" * 64, "file_name": "a.csv", "scale_version": 1, "rows_total": 2}
    path = f"{xiamen.path}/score-imports"
    job = xiamen.api.post(path, body, token=xiamen.token, key="open-first").body["job_id"]
    found = xiamen.api.post(path, body, token=xiamen.token, key="open-second")
    xiamen.rows(job, 1, row(subjects[0]))
    again = xiamen.api.post(path, body, token=xiamen.token, key="open-second")
    assert (again.text, again.headers["idempotency-replayed"]) == (found.text, "true")
    other = xiamen.api.post(path, {**body, "rows_total": 5}, token=xiamen.token, key="open-second")
    assert (other.status, other.code) == (422, "idempotency-key-reused")


def test_ONCE_losing_the_race_to_open_is_noted_too(
    xiamen: City, subjects: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"file_sha256": "a" * 64, "file_name": "a.csv", "scale_version": 1, "rows_total": 2}
    path = f"{xiamen.path}/score-imports"
    xiamen.api.post(path, body, token=xiamen.token, key="open-first")
    unseen, read = iter([None]), store.import_in
    with monkeypatch.context() as patch:
        patch.setattr(store, "import_in", lambda *where: next(unseen, read(*where)))
        late = xiamen.api.post(path, body, token=xiamen.token, key="open-late")
    assert (late.status, late.headers.get("idempotency-replayed")) == (200, None)
    again = xiamen.api.post(path, body, token=xiamen.token, key="open-late")
    assert (again.text, again.headers.get("idempotency-replayed")) == (late.text, "true")


def test_a_chunk_is_answered_with_its_bad_rows_and_the_counts(xiamen: City, subjects: list[str]) -> None:
    an, bo, ce, du = subjects
    xiamen.report(bo, 700)
    xiamen.report(ce, 700, "2025-09-01T00:00:00Z")
    xiamen.report(du, 650)
    job = job_id(xiamen, rows_total=8)
    sent = [row(an), row(bo, 701), row(ce), row(du), row("p1_nobody"), row(an, 1001), row(an, "650"), {"score": 1}]
    answer = xiamen.rows(job, 1, *sent)
    assert answer.status == 200
    assert [(r["row"], r["code"]) for r in answer.body["refused"]] == [
        (2, "score-conflict"),
        (5, "not-found"),
        (6, "score-off-scale"),
        (7, "invalid-request"),
        (8, "invalid-request"),
    ]
    assert answer.body["job"]["counts"] == {"stored": 1, "unchanged": 1, "outdated": 1, "refused": 5}
    assert answer.body["job"]["state"] == "finished"
    assert answer.body["job"] == xiamen.get(f"/score-imports/{job}").body
    listed = xiamen.get(f"/score-imports/{job}/refused?limit=3").body
    rest = xiamen.get(f"/score-imports/{job}/refused?limit=3&cursor={listed['next']}").body
    assert listed["items"] + rest["items"] == answer.body["refused"]


def test_MINIMAL_the_list_of_refused_rows_never_holds_their_content(xiamen: City, subjects: list[str]) -> None:
    job = job_id(xiamen)
    secret = "secret-4711"
    sent: list[Any] = [
        row(secret),
        row(subjects[0], secret),
        row(subjects[0], 471147),
        {secret: secret},
        secret,
        [secret],
    ]
    sent += [{"unreadable": secret}, {"unreadable": "formula", "cell": secret}, {"unreadable": "formula"}]
    answer = xiamen.rows(job, 1, *sent)
    listed = xiamen.get(f"/score-imports/{job}/refused")
    assert answer.body["job"]["counts"]["refused"] == len(listed.body["items"]) == 9
    assert [r["code"] for r in listed.body["items"]][-3:] == ["invalid-request", "invalid-request", "row-unreadable"]
    assert "4711" not in answer.text + listed.text


def test_ONCE_a_chunk_sent_again_is_answered_the_same_and_adds_nothing(xiamen: City, subjects: list[str]) -> None:
    job = job_id(xiamen, rows_total=4)
    chunk = [row(subjects[0]), row(subjects[1], 5000)]
    first = xiamen.rows(job, 1, *chunk)
    assert xiamen.rows(job, 1, *chunk).text == first.text
    overlapping = xiamen.rows(job, 2, chunk[1], row(subjects[2]), row(subjects[3], "x"))
    assert [r["row"] for r in overlapping.body["refused"]] == [2, 4]
    assert overlapping.body["job"]["counts"] == {"stored": 2, "unchanged": 0, "outdated": 0, "refused": 2}
    assert overlapping.body["job"]["state"] == "finished"


def test_chunks_may_come_in_any_order(xiamen: City, subjects: list[str]) -> None:
    job = job_id(xiamen, rows_total=4)
    ahead = xiamen.rows(job, 3, row(subjects[2])).body["job"]
    assert (ahead["next_row"], ahead["ahead"], ahead["state"]) == (1, [[3, 3]], "open")
    xiamen.rows(job, 1, row(subjects[0]))
    last = xiamen.rows(job, 2, row(subjects[1]), row(subjects[2]), row(subjects[3])).body["job"]
    assert (last["next_row"], last["ahead"], last["state"]) == (5, [], "finished")
    assert last["counts"]["stored"] == 4


def test_the_last_chunk_ends_a_file_of_unknown_length(xiamen: City, subjects: list[str]) -> None:
    job = job_id(xiamen)
    assert xiamen.rows(job, 1, row(subjects[0])).body["job"]["state"] == "open"
    ended = xiamen.rows(job, 2, row(subjects[1]), last=True)
    assert (ended.body["job"]["state"], ended.body["job"]["rows_total"]) == ("finished", 2)
    assert xiamen.rows(job, 2, row(subjects[1]), last=True).text == ended.text
    assert xiamen.rows(job, 3, row(subjects[2])).code == "import-past-end"


def test_rows_beyond_the_end_or_across_too_many_gaps_are_refused(xiamen: City, subjects: list[str]) -> None:
    job = job_id(xiamen, rows_total=3)
    assert xiamen.rows(job, 3, row(subjects[0]), row(subjects[1])).code == "import-past-end"
    assert xiamen.rows(job, 2, row(subjects[0]), last=True).code == "import-past-end"
    gaps = job_id(xiamen, sha="c" * 64)
    for number in range(MAX_AHEAD):
        assert xiamen.rows(gaps, 2 + 2 * number, "bad").status == 200
    assert xiamen.rows(gaps, 2 + 2 * MAX_AHEAD, "bad").code == "import-out-of-step"
    assert xiamen.rows(gaps, 1, "bad").body["job"]["next_row"] == 3


def test_a_change_of_the_scale_stops_an_import(xiamen: City, subjects: list[str]) -> None:
    job = job_id(xiamen, rows_total=2)
    xiamen.rows(job, 1, row(subjects[0]))
    world.publish_scale(2)
    assert xiamen.rows(job, 2, row(subjects[1])).code == "scale-not-current"
    assert xiamen.rows(job, 1, row(subjects[0])).status == 200
    assert xiamen.open("d" * 64).code == "scale-not-current"
    assert xiamen.open(rows_total=2).body["job_id"] == job
    assert xiamen.open(scale_version=2).body["job_id"] != job


def test_another_citys_import_is_not_there(xiamen: City, subjects: list[str]) -> None:
    job = job_id(xiamen)
    world.found_city("hangzhou")
    hangzhou = City(xiamen.api, "hangzhou")
    absent = hangzhou.get("/score-imports/imp_absent")
    assert absent.code == "not-found"
    assert hangzhou.get(f"/score-imports/{job}").text == absent.text
    assert hangzhou.get(f"/score-imports/{job}/refused").text == absent.text
    assert hangzhou.rows(job, 1, "row").text == absent.text


@pytest.mark.parametrize(
    "bad",
    [
        {"file_sha256": "A" * 64},
        {"file_sha256": "a" * 63},
        {"file_name": "a\nb"},
        {"file_name": ""},
        {"rows_total": 0},
        {"rows_total": 1.5},
        {"scale_version": None},
        {"extra": 1},
    ],
)
def test_an_import_of_another_form_is_refused(xiamen: City, bad: dict[str, Any]) -> None:
    assert xiamen.open(**{"sha": bad.pop("file_sha256", "a" * 64), **bad}).code == "invalid-request"


@pytest.mark.parametrize("bad", [{"first_row": 0}, {"first_row": "1"}, {"rows": []}, {"rows": [1] * 501}, {"more": 1}])
def test_a_chunk_of_another_form_is_refused(xiamen: City, bad: dict[str, Any]) -> None:
    body = {"first_row": 1, "rows": ["row"], **bad}
    path = f"{xiamen.path}/score-imports/{job_id(xiamen)}/rows"
    assert xiamen.api.post(path, body, token=xiamen.token, key="").code == "invalid-request"


def test_what_opening_costs(xiamen: City, calls: Calls) -> None:
    one_and_one = {"BatchGetItem": 1, "TransactWriteItems": 1}
    assert calls.during(xiamen.open) == one_and_one
    assert calls.during(xiamen.open) == one_and_one


def test_what_a_chunk_costs(xiamen: City, subjects: list[str], calls: Calls) -> None:
    job = job_id(xiamen)
    xiamen.report(subjects[3], 650)
    good = {"BatchGetItem": 2, "TransactWriteItems": 2}
    assert calls.during(lambda: xiamen.rows(job, 1, row(subjects[0]), row(subjects[1]))) == good
    assert calls.during(lambda: xiamen.rows(job, 3, row(subjects[2]), "x")) == {**good, "TransactWriteItems": 3}
    assert calls.during(lambda: xiamen.rows(job, 3, row(subjects[2]), "x")) == {"BatchGetItem": 1, "Query": 1}


def test_ONCE_a_chunk_whose_note_was_lost_counts_as_unchanged(
    xiamen: City, subjects: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_id(xiamen, rows_total=2)

    def lost(*_: Any) -> Any:
        raise TimeoutError

    with monkeypatch.context() as patch:
        patch.setattr(importing, "_note", lost)
        assert xiamen.rows(job, 1, row(subjects[0]), "x").code == "internal-error"
    again = xiamen.rows(job, 1, row(subjects[0]), "x").body["job"]
    assert again["counts"] == {"stored": 0, "unchanged": 1, "outdated": 0, "refused": 1}
    assert len(xiamen.get(f"/score-imports/{job}/refused").body["items"]) == 1


def test_an_import_and_its_refused_rows_end_after_ninety_days(xiamen: City) -> None:
    job = job_id(xiamen)
    xiamen.rows(job, 1, "x")
    import boto3

    pk = import_key("xiamen", job).pk
    found = boto3.client("dynamodb").query(
        TableName="egret-test", KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": {"S": pk}}
    )["Items"]
    assert len(found) == 2
    assert len({item["expires_at"]["N"] for item in found}) == 1
