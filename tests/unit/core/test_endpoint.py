"""The endpoint that is taken as it is, is the one that botocore would work out for every call."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.config import Config

from chalicelib.core import table

ASKED: dict[str, dict[str, Any]] = {
    "BatchGetItem": {"RequestItems": {"egret": {"Keys": [{"pk": {"S": "a"}, "sk": {"S": "b"}}]}}},
    "TransactWriteItems": {"TransactItems": [{"Put": {"TableName": "egret", "Item": {"pk": {"S": "a"}}}}]},
    "Query": {"TableName": "egret"},
}


def resolved(client: Any, operation: str) -> tuple[Any, dict[str, Any]]:
    context: dict[str, Any] = {}
    model = client.meta.service_model.operation_model(operation)
    return client._resolve_endpoint_ruleset(model, ASKED[operation], context), context


@pytest.mark.parametrize("region", ["cn-north-1", "cn-northwest-1", "ap-east-1", "eu-central-1", "us-east-1"])
def test_the_endpoint_is_the_one_of_the_rules(region: str) -> None:
    plain = Config(ignore_configured_endpoint_urls=True)
    client = botocore.session.Session().create_client("dynamodb", region_name=region, config=plain)
    by_rules = [resolved(client, operation) for operation in ASKED]
    table.fix_endpoint(client)
    assert [resolved(client, operation) for operation in ASKED] == by_rules
    assert by_rules[0][0][0].startswith(f"https://dynamodb.{region}.amazonaws.com")


def test_the_connection_has_it() -> None:
    client: Any = table.connection().client
    assert client._ruleset_resolver is None
