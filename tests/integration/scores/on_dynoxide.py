"""A table on Dynoxide instead of moto: for proofs of concurrency, and where moto is too slow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from chalicelib.core import config
from chalicelib.core import table as core_table
from infra.local import dynoxide
from infra.local.database import FOLDER, Database
from infra.local.dynoxide import NotToBeHad
from tests.memory import quick_folder


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
    with (
        TemporaryDirectory(dir=quick_folder()) as folder,
        pytest.MonkeyPatch.context() as patch,
        Database(Path(folder, "egret.db"), say=lambda _: None) as database,
    ):
        database.create_table(config.current().table)
        yield from _used(database, patch)


def _used(database: Database, patch: pytest.MonkeyPatch) -> Iterator[str]:
    patch.setitem(os.environ, "AWS_ENDPOINT_URL_DYNAMODB", database.endpoint)
    core_table.forget_connections()
    try:
        yield database.endpoint
    finally:
        core_table.forget_connections()
