"""What the tests share: an in-memory table, a trusted issuer, and a client that speaks to the app as a gateway does."""

from __future__ import annotations

import base64
import itertools
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
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
from hypothesis import HealthCheck, settings

from infra.local.issuer import DevelopmentIssuer

# The tests start dozens of programs: what one of them has compiled, the next one finds.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# The same examples every time, so that a red test is a change's doing; ``make nightly`` draws others. A slow computer
# is no fault of what is tested.
patient: Any = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("settled", derandomize=True, **patient)
settings.register_profile("nightly", **patient)
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


# By what each takes alone, most of them not for their many tests: whoever gets one last keeps all others waiting.
SLOWEST_FIRST = (
    "contract/test_template.py", "e2e/offers/test_sold_out.py", "e2e/test_server.py", "e2e/test_demo.py",
    "property/medical/test_visit_machine.py",
    "property/offers/test_deal_machine.py", "property/medical/test_line_machine.py", "e2e/medical/test_linearizable.py",
    "e2e/medical/test_holds.py", "e2e/test_stream.py", "e2e/test_bank.py", "e2e/scores/test_import_command.py",
    "integration/offers/test_deal_once.py", "integration/medical/test_once.py", "integration/medical/test_bill_once.py",
    "integration/medical/test_reconcile_command.py", "integration/medical/test_outbox.py",
    "integration/subjects/test_enrolment.py", "integration/offers/test_statistics.py",
)  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """Files are handed out in the order in which they were collected, not by how many tests they have."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of several processes that share the files, each begins with what takes long."""
    if hasattr(config, "workerinput"):
        here = Path(__file__).parent
        ranks = {here / name: rank for rank, name in enumerate(SLOWEST_FIRST)}
        items.sort(key=lambda item: ranks.get(item.path, len(ranks)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says what was measured on the way: each test's ``record_property("figure", …)``, whichever process it ran in."""
    ran = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, ())]
    figures = [value for report in ran for name, value in report.user_properties if name == "figure"]
    if figures:
        terminalreporter.section("figures")
    for figure in figures:
        terminalreporter.write_line(str(figure))


@pytest.fixture
def table() -> Iterator[None]:
    """An empty table in memory (moto). Never for proofs of concurrency: it oversells."""
    from tests.emulator import Emulator

    with Emulator.table():
        yield


@pytest.fixture
def api(table: None) -> Iterator[Api]:
    """The whole app over an empty table."""
    from chalice.test import Client

    from app import app

    with Client(app) as client:
        yield Api(client.http)
