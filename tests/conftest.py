"""What the tests share: an in-memory table, a trusted issuer, and a client that speaks to the app as a gateway does."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
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

from infra.local.issuer import DevelopmentIssuer

ISSUER = DevelopmentIssuer.fresh()
os.environ["EGRET_ISSUERS"] = json.dumps(ISSUER.configuration())


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
        return Answer(response.status_code, headers, response.body.decode())

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


@pytest.fixture
def table() -> Iterator[None]:
    """An empty table in memory (moto). Never for proofs of concurrency: it oversells."""
    import boto3
    from moto import mock_aws

    from chalicelib.core import table as core_table
    from infra.local.tables import create_table

    with mock_aws():
        create_table(boto3.client("dynamodb"), "egret-test")
        core_table.forget_connections()
        yield
    core_table.forget_connections()


@pytest.fixture
def api(table: None) -> Iterator[Api]:
    """The whole app over an empty table."""
    from chalice.test import Client

    from app import app

    with Client(app) as client:
        yield Api(client.http)
