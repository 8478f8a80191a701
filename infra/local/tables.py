"""The table of ``infra/table.yaml`` on any DynamoDB endpoint, without CloudFormation.

Left out is what only the cloud knows: encryption, backups, protection against deletion.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import ClientError

TEMPLATE = Path(__file__).resolve().parents[1] / "table.yaml"
_CREATED_WITH = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")


class TableDiffers(RuntimeError):
    """The table is there, but with other keys or indexes than ``infra/table.yaml`` says."""


def definition() -> dict[str, Any]:
    """The properties of the one table."""
    properties: dict[str, Any] = yaml.safe_load(TEMPLATE.read_text("utf-8"))["Resources"]["EgretTable"]["Properties"]
    return properties


def create_table(client: Any, name: str) -> bool:
    """Makes sure that the table is there, active, with its stream and its time to live.

    Args:
        client: A botocore (or boto3) DynamoDB client of the endpoint.
        name: The table's name there.

    Returns: True if it was created, False if it was there already.
    Raises: TableDiffers: it is there with other keys or indexes, made by another version.
    """
    wanted = definition()
    created = _create(client, name, wanted)
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    if not created:
        _compare(client.describe_table(TableName=name)["Table"], wanted)
    _expire(client, name, wanted["TimeToLiveSpecification"])
    return created


def _create(client: Any, name: str, wanted: dict[str, Any]) -> bool:
    stream = {"StreamEnabled": True, **wanted["StreamSpecification"]}
    try:
        client.create_table(TableName=name, StreamSpecification=stream, **{k: wanted[k] for k in _CREATED_WITH})
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceInUseException":
            raise
        return False
    return True


def _compare(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    if _shape(found) != _shape(wanted):
        raise TableDiffers(f"the table has {_shape(found)}, infra/table.yaml says {_shape(wanted)}")


def _shape(table: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Keys and projections of a table and its indexes, in an order of its own."""
    indexes = table.get("GlobalSecondaryIndexes", [])
    return sorted(
        (index.get("IndexName", ""), _keys(index["KeySchema"]), _projected(index.get("Projection", {})))
        for index in [table, *indexes]
    )


def _keys(schema: list[dict[str, str]]) -> tuple[str, ...]:
    return tuple(key["AttributeName"] for key in sorted(schema, key=lambda key: key["KeyType"]))


def _projected(projection: dict[str, Any]) -> tuple[str, ...]:
    return (projection.get("ProjectionType", ""), *sorted(projection.get("NonKeyAttributes", ())))


def _expire(client: Any, name: str, wanted: dict[str, Any]) -> None:
    found = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    if found["TimeToLiveStatus"] == "DISABLED":
        client.update_time_to_live(TableName=name, TimeToLiveSpecification=wanted)
