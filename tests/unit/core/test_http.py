"""The edge without a table: what is read, what is refused and in which order, what a reply looks like."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.core import http, schema
from chalicelib.core.auth import allow
from chalicelib.core.errors import Conflict, InsufficientAuthentication, Problem, TooManyRequests, all_problems
from chalicelib.core.http import CSV, SVG, Call, Reply, page_size
from chalicelib.core.text import Text
from tests.unit.core.edge import REQUEST_ID, Sent, route, send

SECRET = "350203199001011234"
TAG = '"abc"'
PROBE = {
    "$id": "egret:/probe.json",
    "type": "object",
    "properties": {"n": {"type": "integer", "maximum": 9}},
    "required": ["n"],
    "additionalProperties": False,
}


def echo(call: Call) -> Reply:
    return Reply({"path": dict(call.path), "query": dict(call.query), "body": call.body})


@pytest.fixture(autouse=True)
def _probe_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = {**schema.documents(), "probe.json": PROBE}
    monkeypatch.setattr(schema, "documents", lambda: documents)
    schema._registry.cache_clear()


POSTED = route(echo, method="POST", body="probe.json")


def test_a_good_request_reaches_its_view() -> None:
    assert send(POSTED, b'{"n": 1}').body["body"] == {"n": 1}
    assert send(route(echo, query=("a", "b")), query="a=1&b=").body["query"] == {"a": "1", "b": ""}


@pytest.mark.parametrize("given", ["xiamen", "a.b_c~d-e", "%78iamen", "A" * 160])
def test_an_id_arrives_decoded_or_not(given: str) -> None:
    assert send(route(echo), path={"city_id": given}).body["path"]["city_id"] == given.replace("%78", "x")


@pytest.mark.parametrize(
    "given",
    ["", "a b", "a%2Fb", "a%00", "a#control", "a%23control", "厦门", "%E5%8E%A6", "a\n", "A" * 161, "%2e%2e%2f"],
)
def test_what_cannot_be_an_id_is_not_found(given: str) -> None:
    assert (send(route(echo), path={"city_id": given}).status, send(route(echo), path={"city_id": given}).code) == (
        404,
        "not-found",
    )


@pytest.mark.parametrize("query", ["x=1", "a=1&a=2", "a=1&A=1", f"{SECRET}=1"])
def test_a_query_parameter_nobody_declared_is_refused(query: str) -> None:
    refused = send(route(echo, query=("a",)), query=query)
    assert (refused.status, refused.code) == (422, "invalid-request")
    assert SECRET not in refused.text


@pytest.mark.parametrize(
    "sent", ["text/plain", "", "application/jsonx", "application/x-www-form-urlencoded", "text/json", "*/*"]
)
def test_only_json_is_read_as_json(sent: str) -> None:
    assert send(POSTED, b'{"n": 1}', headers={"content-type": sent}).code == "unsupported-media-type"


def test_a_charset_does_no_harm() -> None:
    assert send(POSTED, b'{"n": 1}', headers={"content-type": "Application/JSON; charset=utf-8"}).status == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed-request"),
        (None, "malformed-request"),
        (b"{", "malformed-request"),
        (b'{"n": 1.0}', "malformed-request"),
        (b'{"n": 1, "n": 1}', "malformed-request"),
        (b'{"n": 10}', "invalid-request"),
        (b'{"n": true}', "invalid-request"),
        (b'{"n": "1"}', "invalid-request"),
        (b'{"n": 1, "m": 1}', "invalid-request"),
        (b"[]", "invalid-request"),
        (b"null", "invalid-request"),
        (b'{"n": 1}' + b" " * 65_536, "too-large"),
    ],
)
def test_a_bad_body_is_refused(body: bytes | None, code: str) -> None:
    assert send(POSTED, body).code == code


def test_a_route_may_take_more_or_less() -> None:
    assert send(route(echo, method="POST", body="probe.json", max_bytes=7), b'{"n": 1}').code == "too-large"


def test_a_route_without_a_body_takes_none() -> None:
    assert send(route(echo), b" ").status == 200
    assert send(route(echo), b"{}").code == "invalid-request"


def refuse(problem: Problem) -> Sent:
    def view(call: Call) -> Reply:
        raise problem

    return send(route(view))


def test_a_refusal_has_one_shape() -> None:
    refused = refuse(Conflict.at("/n", Text("太大", "too much")))
    assert refused.body == {
        "type": "https://egret.invalid/problems/conflict",
        "title": "This conflicts with the present state; read it again, then try again",
        "title_zh": "与当前状态冲突，请重新读取后再试",
        "status": 409,
        "code": "conflict",
        "detail": "too much",
        "detail_zh": "太大",
        "request_id": REQUEST_ID,
        "errors": [{"pointer": "/n", "detail": "too much", "detail_zh": "太大"}],
    }
    assert refused.headers == {"Content-Type": "application/problem+json", "Cache-Control": "no-store"}


@pytest.mark.parametrize("problem", list(all_problems()), ids=lambda p: str(p.code))
def test_every_refusal_fits_its_schema(problem: type[Problem]) -> None:
    refused = refuse(problem())
    assert refused.status == problem.status
    schema.validate("problem.json", refused.body)


def test_when_to_come_back_is_said() -> None:
    assert refuse(TooManyRequests(retry_after_seconds=7)).headers["Retry-After"] == "7"


def test_MINIMAL_a_crash_is_one_answer_that_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    def view(call: Call) -> Reply:
        raise ValueError(SECRET)

    def believe(call: Call) -> Reply:
        raise AssertionError(SECRET)

    for crashing in (view, believe):
        refused = send(route(crashing))
        assert (refused.status, refused.code) == (500, "internal-error")
        assert SECRET not in refused.text + capsys.readouterr().out


def test_one_line_is_written_per_request(capsys: pytest.CaptureFixture[str]) -> None:
    send(route(echo), path={"city_id": "hangzhou"}, query="x=1")
    (line,) = capsys.readouterr().out.splitlines()
    said = json.loads(line)
    assert (said["route"], said["status"], said["code"]) == ("/v1/probes/{city_id}", 422, "invalid-request")
    assert said["request_id"] == REQUEST_ID
    assert "hangzhou" not in line


def tagged(call: Call) -> Reply:
    return Reply({"n": 1}, etag=TAG)


@pytest.mark.parametrize("header", [TAG, f"W/{TAG}", f'"x", {TAG}', "*"])
def test_what_the_caller_has_is_not_sent_again(header: str) -> None:
    again = send(route(tagged), headers={"If-None-Match": header})
    assert (again.status, again.text, again.headers["ETag"]) == (304, "", TAG)


@pytest.mark.parametrize("header", ["", '"x"', "abc", '"ABC"'])
def test_what_has_changed_is_sent(header: str) -> None:
    sent = send(route(tagged), headers={"If-None-Match": header})
    assert (sent.status, sent.headers["ETag"], sent.headers["Cache-Control"]) == (200, TAG, "no-cache")


def test_a_write_is_answered_in_full() -> None:
    assert (
        send(route(tagged, method="PUT", if_match=True), headers={"If-None-Match": TAG, "If-Match": TAG}).status == 200
    )


def test_a_change_names_the_version_it_saw() -> None:
    def view(call: Call) -> Reply:
        call.expect(TAG)
        return Reply({})

    changing = route(view, method="PUT", if_match=True)
    assert (send(changing).status, send(changing).code) == (428, "if-match-missing")
    assert send(changing, headers={"If-Match": ""}).code == "if-match-missing"
    assert (send(changing, headers={"If-Match": '"old"'}).status) == 412
    assert send(changing, headers={"If-Match": "*"}).code == "stale-version"
    assert send(changing, headers={"If-Match": TAG}).status == 200


@pytest.mark.parametrize("key", [None, "", "short", "a" * 65, "key 00001", "key/0001", "schlüssel"])
def test_an_effect_needs_a_key(key: str | None) -> None:
    headers = {} if key is None else {"Idempotency-Key": key}
    refused = send(route(echo, method="POST", effect=True), headers=headers)
    assert (refused.status, refused.code) == (400, "idempotency-key-missing")


LOCKED: dict[str, Any] = {"method": "POST", "policy": allow("city"), "effect": True, "if_match": True}


@pytest.mark.parametrize(
    ("headers", "body", "path", "code"),
    [
        ({"content-type": "text/plain"}, b"{", "a b", "unsupported-media-type"),
        ({}, b"{" * 70_000, "a b", "too-large"),
        ({}, b"{", "a b", "malformed-request"),
        ({}, b"{}", "a b", "not-found"),
        ({}, b"{}", "xiamen", "unauthenticated"),
    ],
)
def test_the_first_fault_is_the_one_that_is_named(headers: dict[str, str], body: bytes, path: str, code: str) -> None:
    locked = route(echo, body="probe.json", **LOCKED)
    assert send(locked, body, headers=headers, path={"city_id": path}, query="x=1").code == code


@pytest.mark.parametrize(
    ("headers", "query", "code"),
    [
        ({}, "x=1", "idempotency-key-missing"),
        ({"Idempotency-Key": "key-00001"}, "x=1", "if-match-missing"),
        ({"Idempotency-Key": "key-00001", "If-Match": TAG}, "x=1", "invalid-request"),
    ],
)
def test_headers_come_before_the_schema(headers: dict[str, str], query: str, code: str) -> None:
    open_to_all = route(echo, method="POST", body="probe.json", effect=True, if_match=True)
    assert send(open_to_all, b'{"n": 99}', headers=headers, query=query).code == code


def test_MINIMAL_every_bad_token_gets_the_same_answer() -> None:
    locked = route(echo, policy=allow("city"))
    answers = [send(locked, headers={"Authorization": h}) for h in ("", "Basic x", "Bearer x.y.z", f"Bearer {SECRET}")]
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_a_missing_face_check_is_asked_for() -> None:
    asked = refuse(InsufficientAuthentication()).headers["WWW-Authenticate"]
    assert asked == 'Bearer error="insufficient_user_authentication", max_age="300"'


def test_a_picture_may_only_draw() -> None:
    sent = send(route(lambda call: Reply("<svg/>", content_type=SVG)))
    assert sent.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert sent.headers["X-Content-Type-Options"] == "nosniff"


def test_a_table_goes_out_as_it_is() -> None:
    sent = send(route(lambda call: Reply("a,b\n", content_type=CSV, headers={"X-Probe": "1"})))
    assert (sent.text, sent.headers["Content-Type"], sent.headers["X-Probe"]) == ("a,b\n", CSV, "1")


@pytest.mark.parametrize("limit", ["1", "50", "200"])
def test_a_page_has_a_size(limit: str) -> None:
    assert page_size({"limit": limit}) == int(limit)
    assert page_size({}) == 50


@pytest.mark.parametrize("limit", ["", "0", "201", "-1", "1.0", "x", "２", "9" * 5000, "0" * 5000 + "1", " 1"])
def test_a_page_of_no_size_is_refused(limit: str) -> None:
    refused = send(route(lambda call: Reply(page_size(call.query)), query=("limit",)), query=f"limit={limit}")
    assert (refused.status, refused.code) == (422, "invalid-request")


def test_an_entity_tag_names_its_parts() -> None:
    assert http.etag("city", "xiamen", 1) == http.etag("city", "xiamen", "1")
    assert http.etag("city", "xiamen", 1) != http.etag("city", "xiamen", 2)
