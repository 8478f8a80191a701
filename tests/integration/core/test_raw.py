"""Bytes in, as API Gateway hands them to Lambda, and tables out as text: through an app of Chalice's own."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from chalice.app import Chalice

from chalicelib.core import effect, http, intake
from chalicelib.core.auth import PUBLIC
from chalicelib.core.http import CSV, Call, Reply, Routes
from chalicelib.core.text import Text
from infra import openapi
from infra.local.gateway import Gateway

WORDS = "商户,优惠\n清流农场,9 折\n"
GBK = WORDS.encode("gbk")
LIMIT = 100
SUMMARY = Text("探针", "Probe")
PATH = "/v1/probes/{city_id}"


def take(call: Call) -> Reply:
    reply = {"sha256": hashlib.sha256(call.body).hexdigest(), "kind": type(call.body).__name__}
    call.unit.effect(effect.row(call.effect_intent, call.now, purpose="take", facts={}, reply=reply))
    call.unit.commit()
    return Reply(reply)


def give(call: Call) -> Reply:
    return Reply(WORDS, content_type=CSV)


@pytest.fixture
def app(table: None, monkeypatch: pytest.MonkeyPatch) -> Chalice:
    monkeypatch.setattr(http, "ROUTES", [])
    routes = Routes("probes", __name__)
    routes.route("POST", PATH, policy=PUBLIC, summary=SUMMARY, raw="text/csv", effect=True, max_bytes=LIMIT)(take)
    routes.route("GET", PATH, policy=PUBLIC, summary=SUMMARY, content_type=CSV)(give)
    made = Chalice(app_name="probes")
    made.register_blueprint(routes.blueprint)
    return made


def event(method: str, body: bytes | None, headers: dict[str, str]) -> dict[str, Any]:
    """A request as API Gateway's proxy integration hands it over: of the raw types in base64, others as text."""
    kind = headers.get("Content-Type", "").partition(";")[0].strip()
    raw = kind in intake.RAW_TYPES
    text = None if body is None else base64.b64encode(body).decode() if raw else body.decode("utf-8", "replace")
    return {
        "resource": PATH,
        "path": "/v1/probes/xiamen",
        "httpMethod": method,
        "headers": {"Idempotency-Key": "key-00001", **headers},
        "multiValueHeaders": {},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"city_id": "xiamen"},
        "stageVariables": None,
        "requestContext": {"resourcePath": PATH, "httpMethod": method, "requestId": "r", "stage": "api"},
        "body": text,
        "isBase64Encoded": raw and body is not None,
    }


def sent(app: Chalice, body: bytes, kind: str = "text/csv", key: str = "key-00001") -> Any:
    return app(event("POST", body, {"Content-Type": kind, "Idempotency-Key": key}), None)


@pytest.mark.parametrize("kind", ["text/csv", "text/csv; charset=gbk", "text/csv;header=present"])
@pytest.mark.parametrize("body", [GBK, bytes(range(0x40, 0x80)) + b"\xff\xfe\x00", b"\xef\xbb\xbfa,b\r\n"])
def test_bytes_arrive_unharmed_on_lambda(app: Chalice, kind: str, body: bytes) -> None:
    reply = sent(app, body, kind)
    assert reply["statusCode"] == 200
    assert reply["body"] == f'{{"kind":"bytes","sha256":"{hashlib.sha256(body).hexdigest()}"}}'


@pytest.mark.parametrize("kind", ["text/csv; charset=gbk", "Text/CSV"])
def test_bytes_arrive_unharmed_on_one_computer(app: Chalice, kind: str) -> None:
    headers = {"Content-Type": kind, "Idempotency-Key": "key-00001"}
    gateway = Gateway(app)
    assert gateway._generate_lambda_event("POST", "/v1/probes/xiamen", headers, GBK)["isBase64Encoded"] is True
    status, _, text = gateway.answer("POST", "/v1/probes/xiamen", headers, GBK)
    assert (status, hashlib.sha256(GBK).hexdigest().encode() in text) == (200, True)


@pytest.mark.parametrize("accept", [None, "*/*", "text/csv", "application/json"])
def test_a_table_goes_out_as_text_whatever_is_accepted(app: Chalice, accept: str | None) -> None:
    reply = app(event("GET", None, {} if accept is None else {"Accept": accept}), None)
    assert (reply["statusCode"], reply["body"], reply.get("isBase64Encoded", False)) == (200, WORDS, False)
    assert reply["headers"]["Content-Type"] == CSV


@pytest.mark.parametrize("kind", ["", "application/json", "text/plain", "text/csvx", "application/csv", "*/*"])
def test_only_the_declared_type_is_taken(app: Chalice, kind: str) -> None:
    reply = sent(app, b"a,b", kind)
    assert reply["statusCode"] == 415
    assert "text/csv" in reply["body"]


def test_more_bytes_than_declared_are_refused(app: Chalice) -> None:
    assert sent(app, b"x" * LIMIT)["statusCode"] == 200
    assert sent(app, b"x" * (LIMIT + 1), key="key-00002")["statusCode"] == 413


def test_ONCE_other_bytes_under_the_same_key_are_refused(app: Chalice) -> None:
    first, again, other = sent(app, GBK), sent(app, GBK), sent(app, WORDS.encode())
    assert again["body"] == first["body"]
    assert again["headers"]["Idempotency-Replayed"] == "true"
    assert (other["statusCode"], "idempotency-key-reused" in other["body"]) == (422, True)


def test_a_body_of_no_bytes_is_the_routes_to_judge(app: Chalice) -> None:
    assert hashlib.sha256(b"").hexdigest() in sent(app, b"")["body"]


def test_what_the_gateway_is_not_told_of_cannot_be_declared() -> None:
    routes = Routes("probes", __name__)
    with pytest.raises(AssertionError):
        routes.route("POST", PATH, policy=PUBLIC, summary=SUMMARY, raw="application/zip")


def test_the_document_says_what_is_taken(app: Chalice) -> None:
    taking = http.ROUTES[0]
    said = openapi.operation(taking)
    assert list(said["requestBody"]["content"]) == ["text/csv"]
    assert str(LIMIT) in said["requestBody"]["description"]
    assert {"413", "415"} <= set(said["responses"])
