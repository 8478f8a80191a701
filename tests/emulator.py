"""moto in this process: what takes it longer than most tests is done once."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import StreamShard

from chalicelib.core import table as core_table
from infra.local.tables import create_table

__all__ = ["Emulator"]

NAME, REGION = "egret-test", "cn-north-1"


class Emulator:
    """What one test hands on to the next: the clients, and the table as it was when it was made."""

    client: Any = None
    connection: Any = None
    empty: Any = None

    @classmethod
    @contextmanager
    def table(cls) -> Iterator[None]:
        """An empty table, on which every store stands inside the block."""
        core_table.forget_connections()
        with mock_aws():
            cls.client = cls.client or boto3.client("dynamodb")
            cls._lay()
            core_table.Row._connection = cls.connection
            yield
            cls.connection = core_table.Row._connection
        core_table.forget_connections()

    @classmethod
    def _lay(cls) -> None:
        tables = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables
        if cls.empty is None:
            create_table(cls.client, NAME)
            cls.empty = tables[NAME]
        tables[NAME] = copy.deepcopy(cls.empty)


def _copied(shard: StreamShard, memo: dict[int, Any]) -> StreamShard:
    """What was streamed never changes, and moto copies the table before every transaction: the list will do."""
    made = copy.copy(shard)
    memo[id(shard)] = made
    made.table = copy.deepcopy(shard.table, memo)
    made.items = list(shard.items)
    return made


StreamShard.__deepcopy__ = _copied  # type: ignore[attr-defined]
