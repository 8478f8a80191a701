"""The zip is whole: unpacked into an empty folder, it serves with nothing but Python's own library beside it."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from chalicelib.core import effect
from infra.slim import SERVICES
from tests.contract.conftest import Package

# -I: no environment, no working folder; -S: no site-packages. Only the folder is added.
ISOLATED = [sys.executable, "-I", "-S", "-c"]
SERVE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import app
event = json.load(sys.stdin)
class Context:
    aws_request_id = "00000000-0000-0000-0000-000000000000"
    function_name = "egret-api"
    def get_remaining_time_in_millis(self): return 15000
reply = app.app(event, Context())
import boto3, cryptography.x509, jsonschema_rs, jwt, zoneinfo
from chalicelib.core import table
zoneinfo.ZoneInfo("Asia/Shanghai")
endpoints = [table.connection().client.meta.endpoint_url]
endpoints += [boto3.client(name).meta.endpoint_url for name in ("dynamodb", "kms", "lambda", "sts")]
strangers = [m.__file__ for m in sys.modules.values() if "site-packages" in (getattr(m, "__file__", None) or "")]
functions = [name for name in ("app", "daily", "enrol", "outbox", "stream") if hasattr(app, name)]
print(json.dumps({"reply": reply, "strangers": strangers, "functions": functions, "endpoints": endpoints}))
"""

READ_THE_STREAM = """
import json, sys
sys.path.insert(0, sys.argv[1])
import app
print(json.dumps(app.stream(json.load(sys.stdin), None)))
"""


@pytest.fixture(scope="module")
def task(package: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(package.archive) as archive:
        archive.extractall(folder)
    return folder


def names(package: Package) -> list[str]:
    with zipfile.ZipFile(package.archive) as archive:
        return archive.namelist()


def rest_event(method: str, path: str) -> dict[str, Any]:
    """What a REST API hands to a Lambda proxy."""
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": {"Accept": "application/json", "Host": "api.example", "X-Forwarded-Proto": "https"},
        "multiValueHeaders": {"Accept": ["application/json"], "Host": ["api.example"], "X-Forwarded-Proto": ["https"]},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "egret",
            "httpMethod": method,
            "identity": {"sourceIp": "192.0.2.1", "userAgent": "test"},
            "path": f"/api{path}",
            "protocol": "HTTP/1.1",
            "requestId": "11111111-1111-1111-1111-111111111111",
            "resourceId": "abc123",
            "resourcePath": path,
            "stage": "api",
        },
        "body": None,
        "isBase64Encoded": False,
    }


def environment(package: Package, function: str) -> dict[str, str]:
    """The variables that the template sets, and no other; references stand in for themselves."""
    variables = package.document["Resources"][function]["Properties"]["Environment"]["Variables"]
    parameters = package.document["Parameters"]
    known = {name: str(parameters[name]["Default"]) for name in parameters}
    said = {name: known.get(value.get("Ref", ""), "stand-in") for name, value in variables.items()}
    lent = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_EC2_METADATA_DISABLED": "true"}
    return {**said, **lent, "AWS_REGION": "cn-north-1", "AWS_DEFAULT_REGION": "cn-north-1"}


def run(task: Path, variables: dict[str, str], serve: str, event: dict[str, Any]) -> list[dict[str, Any]]:
    """Serves one event in a process that has these variables and nothing else of this one; the lines it prints."""
    code = "import os, sys; os.environ.clear(); os.environ.update(__import__('json').loads(sys.argv[2]))\n" + serve
    command = [*ISOLATED, code, str(task), json.dumps(variables)]
    done = subprocess.run(
        command, input=json.dumps(event), capture_output=True, text=True, check=False, cwd=task.parent
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_zip_serves_an_event_from_itself_alone(package: Package, task: Path) -> None:
    result = run(task, environment(package, "APIHandler"), SERVE, rest_event("GET", "/v1/me"))[-1]
    reply = result["reply"]
    assert (reply["statusCode"], json.loads(reply["body"])["code"]) == (401, "unauthenticated")
    headers = {**{k: [v] for k, v in reply["headers"].items()}, **reply.get("multiValueHeaders", {})}
    assert headers["Content-Type"] == ["application/problem+json"]
    assert result["functions"] == ["app", "daily", "enrol", "outbox", "stream"]
    assert result["strangers"] == []
    services = ["dynamodb", "dynamodb", "kms", "lambda", "sts"]
    assert result["endpoints"] == [f"https://{service}.cn-north-1.amazonaws.com.cn" for service in services]


def test_the_zip_reads_the_stream_as_far_as_the_database(package: Package, task: Path) -> None:
    facts = {
        "v": 1, "quote_id": "xiamen.q", "scenario_id": "jimei_produce", "district": None, "visitor": True,
        "units": 1, "saved_fen": 100, "list_fen": 200, "day": "2026-07-01",
    }  # fmt: skip
    intent = effect.intend("xiamen", "merchant", "farm", "POST /v1/x", "key-00001", facts)
    row = effect.row(
        intent, datetime(2026, 7, 1, tzinfo=UTC), purpose="redeem:xiamen/jimei_produce", facts=facts, reply={}
    )
    event = {"Records": [{"dynamodb": {"SequenceNumber": "7", "NewImage": row.to_dynamodb_dict()}}]}
    nowhere = {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1"}
    line, said = run(task, environment(package, "Stream") | nowhere, READ_THE_STREAM, event)
    assert (line["event"], line["code"]) == ("stream", "again"), "it was read, and could only not be written"
    assert said == {"batchItemFailures": [{"itemIdentifier": "7"}]}


def test_the_zip_holds_what_ships_and_nothing_else(package: Package) -> None:
    found = names(package)
    assert "schemas/common.json" in found
    assert "botocore/cacert.pem" in found
    assert any(name.startswith("tzdata/zoneinfo/Asia/Shanghai") for name in found)
    assert not [n for n in found if n.split("/")[0] in {"infra", "tests", "docs", "vendor", "pip", "click", ".egret"}]
    services = {n.split("/")[2] for n in found if n.startswith("botocore/data/") and n.count("/") > 2}
    assert services == SERVICES


def test_every_module_of_ours_is_compiled_and_needs_no_date(package: Package) -> None:
    with zipfile.ZipFile(package.archive) as archive:
        found = set(archive.namelist())
        for name in (n for n in found if n.endswith(".py") and n.startswith(("app.py", "chalice", "botocore/"))):
            path = PurePosixPath(name)
            compiled = str(path.parent / "__pycache__" / f"{path.stem}.cpython-311.pyc")
            assert compiled in found, name
            assert archive.read(compiled)[4:8] == b"\x01\x00\x00\x00", "by hash, not checked"


def test_the_zip_stays_small(package: Package) -> None:
    assert package.archive.stat().st_size < 20_000_000
