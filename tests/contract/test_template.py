"""The template of a release: what is created, who may do what, and what the gateway says by itself."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from fnmatch import fnmatchcase
from graphlib import TopologicalSorter
from typing import Any, get_args

import pytest

from app import app
from chalicelib.cities.store import control_key
from chalicelib.core import chores, config, effect, errors, stream
from chalicelib.core.commit import PATIENCE_SECONDS as PATIENCE_SECONDS_OF_A_UNIT
from chalicelib.core.commit import Unit
from chalicelib.core.http import JSON
from chalicelib.core.intake import RAW_TYPES
from chalicelib.core.table import Key
from chalicelib.medical.rules.outbox import LEASE_SECONDS
from chalicelib.medical.service import calling, following, regrading, sending
from chalicelib.medical.store import line_key
from chalicelib.medical.store.outbox import instruction_key
from chalicelib.offers.service.statistics import PATIENCE_SECONDS
from chalicelib.offers.store import statistics
from chalicelib.subjects.rules import Document
from chalicelib.subjects.store import index_key
from infra.package import ROOT
from infra.slim import SERVICES
from infra.template import gateway_responses, merged
from tests.contract.conftest import Package

Json = dict[str, Any]
DYNAMODB_ONLY = {"StringEquals": {"kms:ViaService": {"Fn::Sub": "dynamodb.${AWS::Region}.${AWS::URLSuffix}"}}}


@pytest.fixture
def resources(package: Package) -> Json:
    found: Json = package.document["Resources"]
    return found


def statements(role: Json) -> Iterator[Json]:
    for policy in role["Properties"]["Policies"]:
        yield from policy["PolicyDocument"]["Statement"]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def allowed(role: Json, prefix: str) -> set[str]:
    granted = (s for s in statements(role) if s["Effect"] == "Allow")
    return {a for s in granted for a in listed(s["Action"]) if a.startswith(prefix)}


def walk(node: Any) -> Iterator[Json]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from walk(child)


def test_cfn_lint_finds_nothing(package: Package) -> None:
    code = "import sys; from cfnlint.runner import main; sys.exit(main())"
    regions = ["--regions", "us-east-1", "cn-north-1", "cn-northwest-1"]
    command = [sys.executable, "-c", code, *regions, "-t", str(package.template)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_merging_left_no_placeholder_and_no_double_intrinsic(package: Package) -> None:
    assert "set-by-infra-roles-yaml" not in package.template.read_text("utf-8")
    for node in walk(package.document):
        if any(key == "Ref" or key.startswith("Fn::") for key in node):
            assert len(node) == 1, node


def named(node: Json) -> Iterator[str]:
    """The logical names that an intrinsic function refers to."""
    if "Ref" in node:
        yield node["Ref"]
    if "Fn::GetAtt" in node:
        yield node["Fn::GetAtt"][0]
    if "Fn::Sub" in node:
        text, given = (node["Fn::Sub"], {}) if isinstance(node["Fn::Sub"], str) else node["Fn::Sub"]
        yield from (name.split(".")[0] for name in re.findall(r"\$\{([^!}]+)\}", text) if name not in given)


def test_every_reference_has_a_target_and_none_goes_in_a_circle(package: Package) -> None:
    """cfn-lint does not look into policy documents."""
    document = package.document
    resources = document["Resources"]
    needs = {
        name: {target for node in walk(resource) for target in named(node) if not target.startswith("AWS::")}
        | set(listed(resource.get("DependsOn", [])))
        for name, resource in resources.items()
    }
    known = set(resources) | set(document["Parameters"])
    assert not set().union(*needs.values()) - known
    assert len(list(TopologicalSorter(needs).static_order())) >= len(resources)


def test_the_table_is_kept_encrypted_streamed_and_expiring(resources: Json) -> None:
    table = resources["EgretTable"]
    properties = table["Properties"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert properties["DeletionProtectionEnabled"] is True
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["SSESpecification"]["KMSMasterKeyId"] == {"Fn::GetAtt": ["DataKey", "Arn"]}
    assert properties["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_MINIMAL_indexes_carry_no_facts_and_can_be_filtered_by_kind(resources: Json) -> None:
    indexes = resources["EgretTable"]["Properties"]["GlobalSecondaryIndexes"]
    assert [index["IndexName"] for index in indexes] == ["gsi1", "gsi2", "gsi3"]
    for index in indexes:
        carried = set(index["Projection"]["NonKeyAttributes"])
        assert "kind" in carried
        assert not carried & {"facts", "reply", "score", "document", "consents"}


def test_roles_have_no_wildcards(resources: Json) -> None:
    roles = [r for r in resources.values() if r["Type"] == "AWS::IAM::Role"]
    assert len(roles) == sum(r["Type"] == "AWS::Serverless::Function" for r in resources.values())
    for role in roles:
        assert "ManagedPolicyArns" not in role["Properties"]
        for statement in statements(role):
            assert "*" not in json.dumps([statement["Action"], statement["Resource"]]), statement
            assert "NotAction" not in statement


def test_every_function_has_a_role_and_a_log_group_of_its_own(resources: Json) -> None:
    functions = {n: r for n, r in resources.items() if r["Type"] == "AWS::Serverless::Function"}
    roles = {n: f["Properties"]["Role"]["Fn::GetAtt"][0] for n, f in functions.items()}
    assert roles == {
        "APIHandler": "ApiRole", "Daily": "DailyRole", "Enrol": "EnrolRole", "Outbox": "OutboxRole",
        "Stream": "StreamRole",
    }  # fmt: skip
    for name, function in functions.items():
        log_name = function["DependsOn"]
        group = resources[log_name]["Properties"]
        assert group["RetentionInDays"] >= 180
        suffix = function["Properties"]["FunctionName"]["Fn::Sub"]
        assert group["LogGroupName"] == {"Fn::Sub": f"/aws/lambda/{suffix}"}
        logs = [s for s in statements(resources[roles[name]]) if "logs:PutLogEvents" in listed(s["Action"])]
        assert [s["Resource"] for s in logs] == [{"Fn::GetAtt": [log_name, "Arn"]}]
        assert "logs:CreateLogGroup" not in allowed(resources[roles[name]], "logs:")


def test_only_enrolment_may_compute_with_the_index_key(resources: Json) -> None:
    key = resources["IndexKey"]["Properties"]
    assert (key["KeySpec"], key["Origin"]) == ("HMAC_256", "EXTERNAL")
    computing = [
        s
        for s in key["KeyPolicy"]["Statement"]
        if any(
            a in {"kms:*", "*"} or a.endswith(("GenerateMac", "VerifyMac", "CreateGrant")) for a in listed(s["Action"])
        )
    ]
    assert [(s["Action"], s["Principal"]) for s in computing] == [
        ("kms:GenerateMac", {"AWS": {"Fn::GetAtt": ["EnrolRole", "Arn"]}})
    ]
    assert "Mac" not in json.dumps([resources["ApiRole"], resources["EnrolRole"]])
    assert "EGRET_INDEX_KEY" not in resources["APIHandler"]["Properties"]["Environment"]["Variables"]


def test_only_the_api_and_the_outbox_may_open_the_seal(resources: Json) -> None:
    def direct(role: str) -> list[Any]:
        kms = [s for s in statements(resources[role]) if any(a.startswith("kms:") for a in listed(s["Action"]))]
        assert all(s["Resource"] == {"Fn::GetAtt": ["DataKey", "Arn"]} for s in kms)
        return [s["Action"] for s in kms if s.get("Condition") != DYNAMODB_ONLY]

    assert direct("ApiRole") == direct("OutboxRole") == ["kms:Decrypt"]
    assert direct("DailyRole") == direct("EnrolRole") == direct("StreamRole") == []


def test_only_the_api_and_the_outbox_may_sign(resources: Json) -> None:
    variables = resources["APIHandler"]["Properties"]["Environment"]["Variables"]
    named = re.fullmatch(r"kms:\$\{(\w+)\.Arn\}", variables["EGRET_SIGNING_KEY"]["Fn::Sub"])
    assert named is not None
    key = resources[named[1]]["Properties"]
    assert (key["KeySpec"], key["KeyUsage"]) == ("ECC_NIST_P256", "SIGN_VERIFY")
    for statement in key["KeyPolicy"]["Statement"]:
        grave = {a for a in listed(statement["Action"]) if not re.match(r"kms:(Get|List|Describe)", a)}
        assert not [a for a in grave if "*" in a or "Grant" in a]
        if "kms:Sign" in grave:
            assert grave == {"kms:Sign"}
            signing = [{"Fn::GetAtt": [role, "Arn"]} for role in ("ApiRole", "OutboxRole")]
            assert statement["Principal"] == {"AWS": signing}
    granted = [a for s in key["KeyPolicy"]["Statement"] for a in listed(s["Action"])]
    assert granted.count("kms:Sign") == 1
    assert granted.count("kms:GetPublicKey") == 2, "the account, and the two"
    assert "kms:Sign" not in json.dumps([resources["ApiRole"], resources["EnrolRole"]])
    assert "EGRET_SIGNING_KEY" not in resources["Enrol"]["Properties"]["Environment"]["Variables"]


def test_the_api_may_do_what_a_unit_of_work_does_but_take_items_away(resources: Json) -> None:
    verbs = {"check": "ConditionCheckItem", "put": "PutItem", "update": "UpdateItem", "batch": "BatchWriteItem"}
    writes = {right for verb, right in verbs.items() if hasattr(Unit, verb)}
    reads = {"BatchGetItem", "GetItem", "Query"}
    assert allowed(resources["ApiRole"], "dynamodb:") == {f"dynamodb:{right}" for right in writes | reads}
    assert allowed(resources["ApiRole"], "lambda:") == {"lambda:InvokeFunction"}


def leading_keys(statement: Json) -> list[str]:
    ((_, condition),) = statement["Condition"].items()
    keys: list[str] = condition["dynamodb:LeadingKeys"]
    return keys


def fits(key: Key, patterns: list[str]) -> bool:
    return any(fnmatchcase(key.pk, pattern) for pattern in patterns)


def test_only_enrolment_sees_the_identity_index_and_it_sees_nothing_else(resources: Json) -> None:
    index = index_key(Document("passport", "XX", "E00000000"))
    control, account = control_key("xiamen"), Key("xiamen#account#s_1", "account")
    (denied,) = (s for s in statements(resources["ApiRole"]) if s["Effect"] == "Deny")
    assert set(denied["Action"]) == allowed(resources["ApiRole"], "dynamodb:")
    assert fits(index, leading_keys(denied))
    assert not fits(control, leading_keys(denied))
    assert not fits(account, leading_keys(denied))
    rights = {
        a: leading_keys(s)
        for s in statements(resources["EnrolRole"])
        for a in listed(s["Action"])
        if a.startswith("dynamodb:")
    }
    read, write = rights.pop("dynamodb:BatchGetItem"), rights.pop("dynamodb:PutItem")
    assert not rights
    assert (fits(index, read), fits(control, read), fits(account, read)) == (True, True, False)
    assert (fits(index, write), fits(control, write), fits(account, write)) == (True, False, False)


def test_the_reader_of_the_stream_writes_what_follows_and_does_nothing_else(resources: Json) -> None:
    table, changes = ({"Fn::GetAtt": ["EgretTable", name]} for name in ("Arn", "StreamArn"))
    rights: dict[str, Json] = {}
    for statement in statements(resources["StreamRole"]):
        assert statement["Effect"] == "Allow"
        for action in listed(statement["Action"]):
            assert action not in rights
            rights[action] = statement
    reading = {f"dynamodb:{name}" for name in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")}
    looking = {f"dynamodb:{name}" for name in ("BatchGetItem", "GetItem", "Query")}
    writing = {f"dynamodb:{name}" for name in ("ConditionCheckItem", "PutItem", "UpdateItem")}
    assert {action for action in rights if action.startswith("dynamodb:")} == reading | looking | writing
    assert {action.partition(":")[0] for action in rights} == {"dynamodb", "kms", "logs", "sqs"}
    assert all(rights[action]["Resource"] == changes for action in reading)
    assert all(rights[action]["Resource"] == table for action in writing | looking)
    assert rights["sqs:SendMessage"]["Resource"] == {"Fn::GetAtt": ["LostChanges", "Arn"]}
    adding, marking = (leading_keys(rights[f"dynamodb:{name}"]) for name in ("UpdateItem", "PutItem"))
    cell = statistics.cell_key("xiamen", "jimei_produce", date(2026, 7, 1), None)
    counted = statistics.counted_key("xiamen", "hangzhou.x")
    assert (fits(cell, adding), fits(counted, adding)) == (True, False)
    queued = instruction_key("xiamen", "demo-bank", "xiamen.demo-bank.x")
    assert (fits(cell, marking), fits(counted, marking), fits(queued, marking)) == (False, True, True)
    account = Key("xiamen#account#s_1", "account")
    for other in (account, control_key("xiamen"), index_key(Document("passport", "XX", "E00000000"))):
        assert not fits(other, adding)
        assert not fits(other, marking)
    assert not fits(effect.key_of("xiamen.x"), adding)
    assert not fits(effect.key_of("xiamen.x"), leading_keys(rights["dynamodb:BatchGetItem"]))


def test_the_daily_function_takes_away_its_appointments_and_nothing_else(resources: Json) -> None:
    taking = [
        (name, leading_keys(s))
        for name, role in resources.items()
        if role["Type"] == "AWS::IAM::Role"
        for s in statements(role)
        if "dynamodb:DeleteItem" in listed(s["Action"])
    ]
    assert taking == [("DailyRole", ["*#due#*"])]
    changing = [s for s in statements(resources["DailyRole"]) if "dynamodb:UpdateItem" in listed(s["Action"])]
    assert [leading_keys(s) for s in changing] == [["*#account#*"]]
    index = index_key(Document("passport", "XX", "E00000000"))
    for statement in statements(resources["DailyRole"]):
        if "LeadingKeys" in json.dumps(statement):
            assert not fits(index, leading_keys(statement))


def test_a_schedule_wakes_the_daily_function_every_hour(resources: Json) -> None:
    rule, permission = (resources[name]["Properties"] for name in ("DailySchedule", "DailyScheduleWakesIt"))
    assert [target["Arn"] for target in rule["Targets"]] == [{"Fn::GetAtt": ["Daily", "Arn"]}]
    assert rule["ScheduleExpression"] == "rate(1 hour)"
    assert (permission["FunctionName"], permission["Principal"]) == ({"Ref": "Daily"}, "events.amazonaws.com")
    assert permission["SourceArn"] == {"Fn::GetAtt": ["DailySchedule", "Arn"]}
    one_more = following.MOST_STEPS * PATIENCE_SECONDS_OF_A_UNIT
    assert chores.SECONDS + one_more <= resources["Daily"]["Properties"]["Timeout"] < 3600


def test_the_outbox_reads_bills_writes_what_it_books_and_does_nothing_else(resources: Json) -> None:
    rights = [(listed(s["Action"]), s) for s in statements(resources["OutboxRole"]) if "dynamodb:" in str(s["Action"])]
    (reading, due, writing, restoring) = (statement for _, statement in rights)
    assert allowed(resources["OutboxRole"], "dynamodb:") == {
        "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem",
    }  # fmt: skip
    queued = instruction_key("xiamen", "demo-bank", "xiamen.demo-bank.x")
    line = line_key("xiamen", "s_1", "demo-bank")
    assert all(fits(key, leading_keys(reading)) for key in (queued, line, control_key("xiamen")))
    assert all(fits(key, leading_keys(writing)) for key in (queued, line, effect.key_of("xiamen.x")))
    account, index = Key("xiamen#account#s_1", "account"), index_key(Document("passport", "XX", "E00000000"))
    for other in (account, index, control_key("xiamen")):
        assert not fits(other, leading_keys(writing))
        assert not fits(other, leading_keys(due))
    assert restoring["Action"] == "dynamodb:UpdateItem"
    assert leading_keys(restoring) == ["*#account#*", "*#collecting#*"]
    assert not fits(index, leading_keys(reading))


def test_a_schedule_wakes_the_outbox(resources: Json) -> None:
    rule, permission = (resources[name]["Properties"] for name in ("OutboxSchedule", "OutboxScheduleWakesIt"))
    assert [target["Arn"] for target in rule["Targets"]] == [{"Fn::GetAtt": ["Outbox", "Arn"]}]
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert (permission["FunctionName"], permission["Principal"]) == ({"Ref": "Outbox"}, "events.amazonaws.com")
    assert permission["SourceArn"] == {"Fn::GetAtt": ["OutboxSchedule", "Arn"]}
    longest = calling.CONNECT_TIMEOUT_SECONDS + calling.WHOLE_TIMEOUT_SECONDS + calling.READ_TIMEOUT_SECONDS
    assert sending.SECONDS + longest < resources["Outbox"]["Properties"]["Timeout"] <= LEASE_SECONDS


def test_the_stream_wakes_its_reader_for_what_has_consumers_and_nothing_else(resources: Json) -> None:
    mapping = resources["StreamMapping"]["Properties"]
    patterns = [json.loads(each["Pattern"]) for each in mapping["FilterCriteria"]["Filters"]]
    assert patterns == [
        {"eventName": [happening], "dynamodb": {"NewImage": {"kind": {"S": sorted(stream.kinds(happening))}}}}
        for happening in get_args(stream.Happening)
    ]
    assert (mapping["FunctionName"], mapping["EventSourceArn"]) == (
        {"Ref": "Stream"}, {"Fn::GetAtt": ["EgretTable", "StreamArn"]},
    )  # fmt: skip
    assert mapping["StartingPosition"] == "TRIM_HORIZON", "nothing written before it is missed"


def test_a_change_that_cannot_be_handled_is_given_up_alone_and_word_of_it_is_left(resources: Json) -> None:
    mapping = resources["StreamMapping"]["Properties"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert 0 < mapping["MaximumRetryAttempts"] <= 100
    assert mapping["MaximumRecordAgeInSeconds"] <= 12 * 3600, "the stream forgets after a day"
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": {"Fn::GetAtt": ["LostChanges", "Arn"]}}}
    queue = resources["LostChanges"]["Properties"]
    assert queue["SqsManagedSseEnabled"] is True
    assert timedelta(seconds=queue["MessageRetentionPeriod"]) < statistics.MARKER_KEPT
    seconds = resources["Stream"]["Properties"]["Timeout"]
    for patience in (PATIENCE_SECONDS, following.PATIENCE_SECONDS, regrading.PATIENCE_SECONDS):
        assert mapping["BatchSize"] * patience <= seconds / 2


@pytest.mark.parametrize("function", ["APIHandler", "Daily", "Enrol", "Outbox", "Stream"])
def test_each_function_is_told_what_a_deployed_stage_needs(resources: Json, function: str) -> None:
    variables = resources[function]["Properties"]["Environment"]["Variables"]
    known = set(re.findall(r"\bEGRET_[A-Z_]+", (ROOT / "chalicelib/core/config.py").read_text("utf-8")))
    assert set(variables) <= known
    settings = config.load({name: "kms:x" if name.endswith("_KEY") else "said" for name in variables})
    assert not settings.development


def test_the_stage_packaged_for_is_the_default() -> None:
    assert merged("dev")["Parameters"]["Stage"]["Default"] == "dev"


def test_the_gateway_hands_over_as_bytes_what_is_taken_raw_and_nothing_else(resources: Json) -> None:
    definition = resources["RestAPI"]["Properties"]["DefinitionBody"]
    assert definition["x-amazon-apigateway-binary-media-types"] == ["text/csv"] == list(RAW_TYPES)
    assert set(definition["paths"]) == set(app.routes), "Chalice's own paths are kept"
    assert not {"text/csv", JSON} & set(app.api.binary_types), "Chalice would take replies for bytes, too"


def test_the_gateway_answers_as_the_functions_do(resources: Json) -> None:
    answers = resources["RestAPI"]["Properties"]["GatewayResponses"]
    codes = {problem.code: problem for problem in errors.all_problems()}
    for kind, answer in answers.items():
        (template,) = answer["ResponseTemplates"].values()
        assert template.isascii()
        assert re.findall(r"\$[a-zA-Z.]+", template) == ["$context.requestId"], "nothing of the request is echoed"
        document = json.loads(template)
        problem = codes[document["code"]]
        assert (document["title"], document["title_zh"]) == (problem.title.en, problem.title.zh)
        assert answer["ResponseParameters"]["Headers"]["Content-Type"] == "'application/problem+json'"
        if kind.startswith("DEFAULT_"):
            assert "StatusCode" not in answer
            assert "status" not in document
        else:
            assert answer["StatusCode"] == document["status"] == problem.status


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("UNAUTHORIZED", "unauthenticated"),
        ("ACCESS_DENIED", "forbidden"),
        ("MISSING_AUTHENTICATION_TOKEN", "not-found"),
        ("INVALID_SIGNATURE", "not-found"),
        ("REQUEST_TOO_LARGE", "too-large"),
        ("UNSUPPORTED_MEDIA_TYPE", "unsupported-media-type"),
        ("THROTTLED", "too-many-requests"),
        ("INTEGRATION_TIMEOUT", "unavailable"),
        ("DEFAULT_4XX", "malformed-request"),
        ("DEFAULT_5XX", "internal-error"),
    ],
)
def test_gateway_codes(kind: str, code: str) -> None:
    (template,) = gateway_responses()[kind]["ResponseTemplates"].values()
    assert json.loads(template)["code"] == code


def test_the_zip_describes_every_service_the_code_calls() -> None:
    sources = [ROOT / "app.py", *(ROOT / "chalicelib").rglob("*.py")]
    called = {
        name for s in sources for name in re.findall(r"\b(?:client|resource)\(\s*\"(\w+)\"", s.read_text("utf-8"))
    }
    assert called, "the pattern finds the calls"
    assert called <= SERVICES
