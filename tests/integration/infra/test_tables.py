"""The table that the loader makes is the one that ``infra/table.yaml`` declares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.local.tables import TableDiffers, create_table, definition


@pytest.fixture
def memory() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("dynamodb", region_name="us-east-1")


def test_keys_indexes_stream_and_time_to_live(memory: Any) -> None:
    assert create_table(memory, "egret")
    found, wanted = memory.describe_table(TableName="egret")["Table"], definition()
    assert found["KeySchema"] == wanted["KeySchema"]
    assert found["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert found["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    indexes = {i["IndexName"]: (i["KeySchema"], i["Projection"]) for i in found["GlobalSecondaryIndexes"]}
    assert indexes == {i["IndexName"]: (i["KeySchema"], i["Projection"]) for i in wanted["GlobalSecondaryIndexes"]}
    expiry = memory.describe_time_to_live(TableName="egret")["TimeToLiveDescription"]
    assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}


def test_making_it_again_changes_nothing(memory: Any) -> None:
    assert create_table(memory, "egret")
    memory.put_item(TableName="egret", Item={"pk": {"S": "a"}, "sk": {"S": "b"}})
    assert not create_table(memory, "egret")
    assert memory.scan(TableName="egret")["Count"] == 1


@pytest.mark.parametrize("change", ["an index less", "another projection"])
def test_a_table_of_another_version_is_not_used(memory: Any, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    older = definition()
    if change == "an index less":
        older["GlobalSecondaryIndexes"].pop()
        kept = {"pk", "sk", "gsi1pk", "gsi1sk", "gsi2pk", "gsi2sk"}
        older["AttributeDefinitions"] = [a for a in older["AttributeDefinitions"] if a["AttributeName"] in kept]
    else:
        older["GlobalSecondaryIndexes"][0]["Projection"] = {"ProjectionType": "ALL"}
    with monkeypatch.context() as patch:
        patch.setattr("infra.local.tables.definition", lambda: older)
        create_table(memory, "egret")
    with pytest.raises(TableDiffers):
        create_table(memory, "egret")
