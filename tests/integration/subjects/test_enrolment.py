"""Enrolment over HTTP: one person, one account per city, and nothing kept of the document."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from chalicelib.core import clock, codec, commit, config, functions, ids, keys
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Unavailable
from chalicelib.subjects import store
from chalicelib.subjects.service import DevelopmentIdentity
from tests.conftest import Api, Calls
from tests.integration.subjects.world import World, application, identity_number, items, kinds, ref_of, stored_text

BORN = date(2008, 5, 1)
MIDNIGHT_IN_SHANGHAI = datetime(2026, 4, 30, 16, tzinfo=UTC)
TRACES = ["identity_proof", "stub:", "林小鹭", "19900501"]


def document(**changes: Any) -> dict[str, Any]:
    return dict(application()["document"], **changes)


def test_a_citizen_is_enrolled_once_and_stays_the_same(world: World) -> None:
    first = world.enrol()
    assert first.status == 201
    again = world.enrol(application(document=document(number=identity_number().lower())))
    assert again.body == first.body
    assert kinds().count("account") == kinds().count("identity") == 1
    assert world.subject(order=2) != first.body["subject_id"]


def test_ONCE_the_same_request_again_is_the_same_reply(world: World) -> None:
    first, again = world.enrol(key="enrol-lin-01"), world.enrol(key="enrol-lin-01")
    assert (again.status, again.text) == (first.status, first.text)
    assert again.headers["idempotency-replayed"] == "true"
    assert world.enrol(application(order=2), key="enrol-lin-01").code == "idempotency-key-reused"


def test_two_cities_know_one_person_by_ids_that_have_nothing_in_common(world: World) -> None:
    here, there = world.subject(), world.subject(city_id="hangzhou")
    assert here != there
    assert ref_of(here).person_id == ref_of(there, "hangzhou").person_id
    assert kinds().count("identity") == 1
    assert world.mine(here, city_id="hangzhou").code == "not-found"
    assert world.mine(there, city_id="hangzhou").body["city_id"] == "hangzhou"


def test_MINIMAL_nothing_of_the_document_is_in_any_item_log_or_reply(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    good = world.enrol()
    bad = world.enrol(application(document=document(number="000000199005010019")))
    proofless = world.enrol(application(order=3, identity_proof="stub:1990-05-02"))
    assert (bad.code, proofless.code) == ("document-invalid", "identity-unconfirmed")
    said = good.text + bad.text + proofless.text + stored_text() + capsys.readouterr().out
    for trace in [*TRACES, identity_number(), ref_of(good.body["subject_id"]).person_id]:
        assert trace not in good.text + bad.text + proofless.text
    for trace in [*TRACES, identity_number(), identity_number(order=3), "000000199005010019"]:
        assert trace not in said


def test_MINIMAL_a_crash_of_enrolment_says_nothing_of_the_document(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def confirm(self: DevelopmentIdentity, asked: Any) -> date:
        raise RuntimeError(f"cannot confirm {asked.document.number} {asked}")

    monkeypatch.setattr(DevelopmentIdentity, "confirm", confirm)
    answer = world.enrol()
    said = answer.text + stored_text() + capsys.readouterr().out
    assert (answer.status, answer.code) == (500, "internal-error")
    assert '"event": "crash"' in said
    assert not [trace for trace in [*TRACES, identity_number()] if trace in said]


def test_MINIMAL_no_item_holds_an_unkeyed_digest_of_the_document(world: World) -> None:
    body = application()
    world.enrol(body)
    guess = codec.canonical([{"city_id": "xiamen"}, body]).encode()
    assert hashlib.sha256(guess).hexdigest() not in stored_text()


def test_MINIMAL_the_index_is_kept_by_a_keyed_digest_and_its_version(world: World) -> None:
    world.enrol()
    (index,) = [item for item in items() if item["kind"]["S"] == "identity"]
    key = base64.b64decode(config.current().index_key.removeprefix("plain:"))
    text = f"doc:cn_resident_id:CN:{identity_number()}".encode()
    assert index["pk"]["S"] == "alliance#index#1#" + ids.encode(hmac.digest(key, text, "sha256"))
    assert set(index) == {"pk", "sk", "kind", "v", "person_id"}


def test_MINIMAL_the_function_never_raises_as_a_lambda_would_log_it(capsys: pytest.CaptureFixture[str]) -> None:
    said = functions.answer("enrol", {"request_id": "r-1", "payload": {"application": identity_number()}})
    assert said["problem"]["code"] == "internal-error"
    logged = capsys.readouterr().out
    assert '"event": "crash"' in logged
    assert '"request_id": "r-1"' in logged
    assert identity_number() not in logged + json.dumps(said)


@pytest.mark.parametrize(
    ("zone", "at", "adult"),
    [
        ("Asia/Shanghai", MIDNIGHT_IN_SHANGHAI - timedelta(milliseconds=1), False),
        ("Asia/Shanghai", MIDNIGHT_IN_SHANGHAI, True),
        ("Asia/Urumqi", MIDNIGHT_IN_SHANGHAI, False),
        ("Asia/Urumqi", MIDNIGHT_IN_SHANGHAI + timedelta(hours=2, milliseconds=-1), False),
        ("Asia/Urumqi", MIDNIGHT_IN_SHANGHAI + timedelta(hours=2), True),
    ],
)
def test_a_citizen_is_eighteen_from_his_birthday_in_his_citys_time_zone(
    api: Api, zone: str, at: datetime, adult: bool
) -> None:
    world = World(api)
    world.now = at
    with clock.fixed(at):
        world.found("here", zone)
        before = kinds()
        answer = world.enrol(application(BORN), "here")
    assert (answer.status, answer.code) == ((201, None) if adult else (403, "under-age"))
    assert adult or kinds() == before, "nothing is kept of a minor"


@pytest.mark.parametrize(("day", "adult"), [(date(2026, 2, 28), False), (date(2026, 3, 1), True)])
def test_who_was_born_on_a_leap_day_is_eighteen_on_the_first_of_march(api: Api, day: date, adult: bool) -> None:
    world = World(api)
    world.now = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
    with clock.fixed(world.now):
        world.found("here")
        assert world.enrol(application(date(2008, 2, 29)), "here").code == (None if adult else "under-age")


@pytest.mark.parametrize(
    ("changes", "status", "code", "pointer"),
    [
        ({"document": document(number="000000199005010019")}, 422, "document-invalid", "/document/number"),
        ({"document": document(number="000000199013010014")}, 422, "document-invalid", "/document/number"),
        ({"document": document(country="US")}, 422, "document-invalid", "/document/country"),
        ({"document": document(country="cn")}, 422, "invalid-request", "/document/country"),
        ({"document": document(number="０００００0199005010019")}, 422, "invalid-request", "/document/number"),
        ({"document": document(number=identity_number() + "\n")}, 422, "invalid-request", "/document/number"),
        ({"document": document(number=19900501)}, 422, "invalid-request", "/document/number"),
        ({"document": document(kind="library_card")}, 422, "invalid-request", "/document/kind"),
        ({"document": {"kind": "passport"}}, 422, "invalid-request", "/document/country"),
        ({"name": "小\u202e鹭"}, 422, "invalid-request", "/name"),
        ({"identity_proof": ""}, 422, "invalid-request", "/identity_proof"),
        ({"city_id": "hangzhou"}, 422, "invalid-request", ""),
        ({"birth_date": "1990-05-01"}, 422, "invalid-request", ""),
        ({"identity_proof": "stub:1990-05-02"}, 403, "identity-unconfirmed", None),
        ({"identity_proof": "stub:1990-13-01"}, 403, "identity-unconfirmed", None),
        ({"identity_proof": "forged"}, 403, "identity-unconfirmed", None),
    ],
)
def test_MINIMAL_a_bad_application_is_refused_without_an_echo(
    world: World, changes: Any, status: int, code: str, pointer: str | None
) -> None:
    before = kinds()
    sent = application(**changes)
    answer = world.enrol(sent)
    assert (answer.status, answer.code) == (status, code)
    assert pointer is None or pointer in {fault["pointer"] for fault in answer.body["errors"]}
    assert str(sent["document"].get("number", "no number")).strip() not in answer.text
    assert sent["identity_proof"] == "" or sent["identity_proof"] not in answer.text
    assert kinds() == before


def test_other_documents_and_countries_are_other_persons(world: World) -> None:
    passport = {"kind": "passport", "country": "DE", "number": "C01X00T47"}
    bodies = [
        application(document={**passport, **changes}) for changes in ({}, {"country": "FR"}, {"number": "C01X00T48"})
    ]
    persons = {world.enrol(body).body["subject_id"] for body in bodies}
    assert len(persons) == 3
    assert world.enrol(application(document={**passport, "number": "c01x-00t47"})).body["subject_id"] in persons


def test_only_the_city_with_its_scope_enrols(world: World) -> None:
    api = world.api
    for token, code in [
        (world.city("hangzhou"), "not-found"),
        (world.city(scope="partners:write"), "forbidden"),
        (world.citizen("p1_" + "a" * 40), "forbidden"),
        (api.as_partner("library", "city-library", scope="subjects:write"), "forbidden"),
        (api.as_alliance(scope="subjects:write"), "forbidden"),
        (None, "unauthenticated"),
    ]:
        assert world.enrol(token=token).code == code
    assert kinds().count("account") == 0


def test_a_city_that_is_no_member_or_suspended_enrols_nobody(world: World) -> None:
    assert world.enrol(city_id="nowhere").code == "not-found"
    world.suspend_city("xiamen")
    assert world.enrol().code == "city-suspended"
    assert "identity" not in kinds()


def test_a_race_for_a_new_person_ends_with_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first = world.subject()
    answers = iter([None])
    place = "chalicelib.subjects.service.identifying.person_in"
    monkeypatch.setattr(place, lambda rows, key: next(answers, store.person_in(rows, key)))
    assert world.subject() == first
    assert kinds().count("identity") == 1


def test_a_race_for_a_new_account_ends_with_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first = world.enrol().body
    load, answers = store.load_account, iter([None])
    monkeypatch.setattr(store, "load_account", lambda ref: next(answers, load(ref)))
    assert world.enrol().body == first
    assert kinds().count("account") == 1
    assert kinds().count("effect") >= 2


def test_ONCE_after_a_fault_between_the_two_functions(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt, left = commit._attempt, iter([True])

    def fail_second(writes: Any) -> bool:
        if next(left, False):
            return attempt(writes)
        raise Unavailable

    with monkeypatch.context() as faulty:
        faulty.setattr(commit, "_attempt", fail_second)
        assert world.enrol(key="enrol-with-fault").status == 503
    assert kinds() == sorted([*(["effect"] * kinds().count("effect")), "identity"])
    second = world.enrol(key="enrol-with-fault")
    assert second.status == 201
    assert kinds().count("identity") == kinds().count("account") == 1
    assert world.enrol(key="enrol-with-fault").text == second.text


def test_a_closed_account_is_not_opened_again_by_enrolling(world: World) -> None:
    account = store.load_account(ref_of(world.subject()))
    assert account is not None
    unit = Unit()
    store.update_guarded(unit, replace(account, status="closed"))
    unit.commit()
    assert world.enrol().code == "conflict"


def test_the_enrolment_function_needs_no_sealing_key(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> bytes:
        raise AssertionError("the enrolment function has no sealing key")

    request = {"application": {**application(), "city_id": "xiamen"}, "now": "2026-08-01T00:00:00Z"}
    monkeypatch.setattr(keys, "_master", refuse)
    keys.derived.cache_clear()
    said = functions.answer("enrol", {"request_id": "r", "payload": request})
    keys.derived.cache_clear()
    assert said["reply"].keys() == {"person_id"}


class Lambda:
    """Stands for the service: runs the function as a deployed stage does, in a process that has the index key."""

    def __init__(self, failure: Exception | None = None, **reply: Any) -> None:
        self.failure, self.reply, self.asked = failure, reply, list[str]()

    def invoke(self, **sent: Any) -> dict[str, Any]:
        import app

        self.asked.append(sent["FunctionName"])
        if self.failure is not None:
            raise self.failure
        said = json.dumps(app.enrol(json.loads(sent["Payload"]), None)).encode()
        return {"Payload": io.BytesIO(said), **self.reply}


def deployed(monkeypatch: pytest.MonkeyPatch, function: Lambda) -> None:
    named = replace(config.current(), enrol_function="egret-test-enrol")
    monkeypatch.setattr(config, "current", lambda: named)
    monkeypatch.setattr(functions, "_client", lambda: function)


def test_through_a_lambda_it_is_the_same(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    here = world.subject()
    function = Lambda()
    deployed(monkeypatch, function)
    assert world.subject() == here
    refused = world.enrol(application(document=document(country="US")))
    assert (refused.status, refused.code) == (422, "document-invalid")
    assert refused.body["errors"][0]["pointer"] == "/document/country"
    assert refused.body["errors"][0]["detail_zh"] == "该证件由中国签发"
    assert world.enrol(application(BORN, identity_proof="stub:2020-01-01")).code == "identity-unconfirmed"
    assert set(function.asked) == {"egret-test-enrol"}


@pytest.mark.parametrize(
    ("function", "code"),
    [
        (Lambda(ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke")), "unavailable"),
        (Lambda(ReadTimeoutError(endpoint_url="https://lambda.example")), "unavailable"),
        (Lambda(ClientError({"Error": {"Code": "AccessDeniedException"}}, "Invoke")), "internal-error"),
        (Lambda(FunctionError="Unhandled"), "internal-error"),
    ],
)
def test_a_lambda_that_does_not_answer(
    world: World, monkeypatch: pytest.MonkeyPatch, function: Lambda, code: str
) -> None:
    deployed(monkeypatch, function)
    answer = world.enrol()
    assert answer.code == code
    assert (answer.headers.get("retry-after") == "1") == (code == "unavailable")


def test_a_deployed_stage_refuses_the_development_identity(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    real = replace(config.current(), stage="prod")
    monkeypatch.setattr(config, "current", lambda: real)
    with pytest.raises(AssertionError, match="identity service"):
        DevelopmentIdentity()


def test_budget_of_calls(calls: Calls, world: World) -> None:
    world.enrol(application(order=9))
    function_and_api = {"BatchGetItem": 2, "TransactWriteItems": 2}
    assert calls.during(lambda: world.enrol(application(order=8))) == function_and_api
    known = {"BatchGetItem": 2, "TransactWriteItems": 1}
    assert calls.during(lambda: world.enrol(application(order=8))) == known
