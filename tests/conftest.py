"""What the tests share: an in-memory table, a trusted issuer, and a client that speaks to the app as a gateway does."""

from __future__ import annotations

import base64
import itertools
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

os.environ.update(
    {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "cn-north-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "EGRET_STAGE": "test",
        "EGRET_TABLE": "egret-test",
        "EGRET_SEAL_KEY": "plain:" + "c2VhbGluZyBrZXkgZm9yIHRlc3RzIG9ubHkgLSAzMmI=",
        "EGRET_INDEX_KEY": "plain:" + "aW5kZXgga2V5IGZvciB0ZXN0cyBvbmx5IC0gMzIgYnk=",
        "EGRET_ENROL_FUNCTION": "",
    }
)

import pytest
from hypothesis import settings

from infra.local.issuer import DevelopmentIssuer

# The same examples every time, so that a red test is a change's doing; ``make nightly`` draws others.
settings.register_profile("settled", derandomize=True, deadline=None)
settings.register_profile("nightly", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "settled"))

ISSUER = DevelopmentIssuer.fresh()
os.environ["EGRET_ISSUERS"] = json.dumps(ISSUER.configuration())
os.environ["EGRET_SIGNING_KEY"] = "plain:" + base64.b64encode(DevelopmentIssuer.fresh().pem).decode()


@dataclass
class Answer:
    """A reply as a caller sees it."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str | None:
        return self.body.get("code") if self.status >= 400 else None


class Api:
    """Speaks to the app through Chalice's own test client, in process."""

    def __init__(self, http: Any) -> None:
        self.http = http
        self.numbers = itertools.count(1)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        key: str | None = None,
        headers: dict[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Answer:
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = "Bearer " + token
        if method == "POST" and key != "":
            sent["Idempotency-Key"] = key or f"test-key-{next(self.numbers):06d}"
        content = raw if raw is not None else (b"" if body is None else json.dumps(body).encode())
        if content and "Content-Type" not in sent:
            sent["Content-Type"] = "application/json"
        response = self.http.request(method, path, headers=sent, body=content)
        headers = {name.lower(): str(value) for name, value in response.headers.items()}
        answer = Answer(response.status_code, headers, response.body.decode())
        self.judge(method, path, answer)
        return answer

    def judge(self, method: str, path: str, answer: Answer) -> None:
        """Every reply that any test sees must be one that its route declares."""
        from tests.contract import replies

        replies.check(method, path, answer)

    def get(self, path: str, **kwargs: Any) -> Answer:
        return self.call("GET", path, **kwargs)

    def post(self, path: str, body: Any = None, **kwargs: Any) -> Answer:
        return self.call("POST", path, body, **kwargs)

    def put(self, path: str, body: Any = None, **kwargs: Any) -> Answer:
        return self.call("PUT", path, body, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> Answer:
        return self.call("DELETE", path, **kwargs)

    def as_city(self, city: str, **kwargs: Any) -> str:
        return ISSUER.token("city", city, city, **kwargs)

    def as_alliance(self, **kwargs: Any) -> str:
        return ISSUER.token("alliance", "alliance", "alliance", **kwargs)

    def as_auditor(self, **kwargs: Any) -> str:
        return ISSUER.token("auditor", "auditor", "alliance", **kwargs)

    def as_partner(self, kind: str, tenant: str, city: str = "xiamen", **kwargs: Any) -> str:
        return ISSUER.token(kind, tenant, city, **kwargs)

    def as_citizen(self, subject_id: str, city: str, *, face: bool = True, **kwargs: Any) -> str:
        return ISSUER.token("citizen", subject_id, city, face=face, **kwargs)


class Calls:
    """Counts what goes to DynamoDB, under the client: one per operation, however often it is retried."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def note(self, model: Any, **_: Any) -> None:
        self.names.append(model.name)

    def during(self, request: Callable[[], Answer]) -> dict[str, int]:
        """The operations that a request caused, by name. The request must succeed or be refused as a whole."""
        before = len(self.names)
        answer = request()
        assert answer.status < 500, answer.text
        return dict(Counter(self.names[before:]))


@pytest.fixture
def calls(table: None) -> Iterator[Calls]:
    """The counter of DynamoDB calls."""
    from chalicelib.core import table as core_table

    counter = Calls()
    events = core_table.connection().client.meta.events
    events.register("before-call.dynamodb", counter.note)
    yield counter
    events.unregister("before-call.dynamodb", counter.note)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says what was measured on the way: each test's ``record_property("figure", …)``, whichever process it ran in."""
    ran = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, ())]
    figures = [value for report in ran for name, value in report.user_properties if name == "figure"]
    if figures:
        terminalreporter.section("figures")
    for figure in figures:
        terminalreporter.write_line(str(figure))


class Emulator:
    """moto in this process, and the clients that speak to it: making one takes longer than most tests."""

    client: Any = None
    connection: Any = None


@pytest.fixture
def table() -> Iterator[None]:
    """An empty table in memory (moto). Never for proofs of concurrency: it oversells."""
    import boto3
    from moto import mock_aws

    from chalicelib.core import table as core_table
    from infra.local.tables import create_table

    core_table.forget_connections()
    with mock_aws():
        Emulator.client = Emulator.client or boto3.client("dynamodb")
        create_table(Emulator.client, "egret-test")
        core_table.Row._connection = Emulator.connection
        yield
        Emulator.connection = core_table.Row._connection
    core_table.forget_connections()


@pytest.fixture
def api(table: None) -> Iterator[Api]:
    """The whole app over an empty table."""
    from chalice.test import Client

    from app import app

    with Client(app) as client:
        yield Api(client.http)
