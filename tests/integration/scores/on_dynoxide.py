"""A table on Dynoxide instead of moto: for proofs of concurrency, and where moto is too slow."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from chalicelib.core import config
from chalicelib.core import table as core_table
from infra.local import dynoxide
from infra.local.database import FOLDER, Database, client
from infra.local.dynoxide import NotToBeHad
from infra.local.tables import create_table


def need() -> None:
    """Skips the test, and says why, where Dynoxide is not to be had."""
    try:
        if dynoxide.installed(FOLDER) is None:
            dynoxide.install(FOLDER, lambda _: None)
    except NotToBeHad as missing:
        pytest.skip(f"Dynoxide is not to be had: {missing.reason.en}")


@contextmanager
def fresh_table() -> Iterator[str]:
    """An empty table that every store in this process uses until the block ends; the endpoint."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        file = Path(folder, "egret.db")
        with Database(file, say=lambda _: None) as database:
            create_table(client(database.endpoint), config.current().table)
            _index_the_stream(file)
            yield from _used(database, patch)


def _index_the_stream(file: Path) -> None:
    """For every write Dynoxide looks for the highest sequence number of the stream, and without this reads all of it.

    DynamoDB's streams cost a write nothing; nor does this one now, however many records it holds.
    """
    with closing(sqlite3.connect(file)) as base:
        base.execute("CREATE INDEX stream_end ON _stream_records (table_name, CAST(sequence_number AS INTEGER))")
        base.commit()


def _used(database: Database, patch: pytest.MonkeyPatch) -> Iterator[str]:
    patch.setitem(os.environ, "AWS_ENDPOINT_URL_DYNAMODB", database.endpoint)
    core_table.forget_connections()
    try:
        yield database.endpoint
    finally:
        core_table.forget_connections()
