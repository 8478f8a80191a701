"""A DynamoDB for one computer: Dynoxide (DynamoDB's API on SQLite), or moto in memory where Dynoxide is not to be had.

Either is a process of its own on 127.0.0.1 that ends with this one; see ``guarded``.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, Self

import botocore.session
from botocore.config import Config

from chalicelib.core.text import Text
from infra.local import dynoxide, tables
from infra.local.dynoxide import NotToBeHad
from infra.local.guarded import HOST, ROOT, DatabaseFailed, Guarded

__all__ = ["FOLDER", "NOBODY", "REGION", "Database", "DatabaseFailed", "DatabaseInUse", "client", "streams"]

FOLDER = ROOT / ".egret" / "dynoxide"
# moto keeps a set of tables per region: whoever shares a local database names this one.
REGION = "us-east-1"
NOBODY = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "aws_session_token": "local"}

_STREAM_END = "CREATE INDEX IF NOT EXISTS stream_end ON _stream_records (table_name, CAST(sequence_number AS INTEGER))"

Say = Callable[[Text], None]


class DatabaseInUse(RuntimeError):
    """Another process has this database file open; two programs on one file could lose writes."""


def say(text: Text) -> None:
    """Tells whoever started this, in both languages, beside the program's output."""
    print(f"{text.zh}\n{text.en}", file=sys.stderr)


class Database:
    """One local database; started by ``start`` or ``with``.

    Args:
        path: The file that keeps the data between starts; without one, everything ends with ``stop``.
        folder: Where Dynoxide is installed.
        say: Told what a person should know: an installation under way, or that moto stands in and nothing is kept.
    """

    def __init__(self, path: Path | None = None, *, folder: Path = FOLDER, say: Say = say) -> None:
        self._path = path
        self._folder = folder
        self._say = say
        self._lock: IO[str] | None = None
        self._running: Guarded | None = None
        self._engine: Literal["dynoxide", "moto"] = "dynoxide"

    @property
    def endpoint(self) -> str:
        """``http://127.0.0.1:<port>`` of the running database."""
        assert self._running is not None, "the database is not running"
        return self._running.endpoint

    @property
    def engine(self) -> Literal["dynoxide", "moto"]:
        """What is running."""
        assert self._running is not None, "the database is not running"
        return self._engine

    def start(self) -> str:
        """Runs the database and returns its endpoint, once it listens there.

        Raises:
            DatabaseInUse: another process has ``path`` open.
            DatabaseFailed: it ended at once, or did not listen within 15 s.
        """
        assert self._running is None, "the database is running already"
        program = self._program()
        try:
            self._running = self._run(program)
        except BaseException:
            self.stop()
            raise
        return self.endpoint

    def create_table(self, name: str) -> None:
        """Makes sure that Egret's table is there, and that the stream costs its writes nothing.

        For every write Dynoxide looks for the highest sequence number of the stream and reads all of it to find it: at
        18,000 records a write takes twenty times as long. An index of its own in the file ends that.
        """
        tables.create_table(client(self.endpoint), name)
        if self._engine == "dynoxide" and self._path is not None:
            with closing(sqlite3.connect(self._path)) as base:
                base.execute(_STREAM_END)
                base.commit()

    def stop(self) -> None:
        """Ends the database and waits for its end. Stopping twice is harmless."""
        if self._running is not None:
            self._running.stop()
            self._running = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _program(self) -> Path | None:
        """Dynoxide, installed if need be; None, and said so, where it is not to be had."""
        program = dynoxide.installed(self._folder)
        if program is not None:
            return program
        try:
            return dynoxide.install(self._folder, self._say)
        except NotToBeHad as missing:
            self._say(_stand_in(missing.reason))
            return None

    def _run(self, program: Path | None) -> Guarded:
        if program is None:
            self._engine = "moto"
            return Guarded([sys.executable, "-m", "infra.local.moto_server", "{port}"])
        self._engine = "dynoxide"
        command = [str(program), "--host", HOST, "--port", "{port}"]
        if self._path is None:
            return Guarded(command)
        self._lock = _lock(self._path)
        return Guarded([*command, "--db-path", str(self._path.absolute())])


def _stand_in(reason: Text) -> Text:
    return Text(
        f"无法使用 Dynoxide（{reason.zh}），改用内存中的 moto：数据不会保存，速度较慢。",
        f"Dynoxide is not to be had ({reason.en}), so moto stands in, in memory: nothing is kept, and it is slower.",
    )


def _lock(path: Path) -> IO[str]:
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(path.name + ".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise DatabaseInUse(f"{path} 正被另一个进程使用 / is in use by another process") from error
    return lock


class _Session(botocore.session.Session):  # type: ignore[misc]
    """A session that does not know the user's profiles."""

    @property
    def full_config(self) -> dict[str, Any]:
        return {"profiles": {}}

    def get_scoped_config(self) -> dict[str, Any]:
        return {}


def client(endpoint: str) -> Any:
    """A DynamoDB client of a local endpoint, with invented credentials.

    The user's AWS profiles, credentials and proxies are never read: what is meant for this computer stays on it.
    """
    return _client("dynamodb", endpoint)


def streams(endpoint: str) -> Any:
    """A DynamoDB Streams client of a local endpoint. Dynoxide's shards have names that botocore finds too short."""
    return _client("dynamodbstreams", endpoint, parameter_validation=False)


def _client(service: str, endpoint: str, **settings: Any) -> Any:
    retries = {"mode": "standard", "total_max_attempts": 3}
    config = Config(connect_timeout=1, read_timeout=10, proxies={}, retries=retries, **settings)
    return _Session().create_client(service, region_name=REGION, endpoint_url=endpoint, config=config, **NOBODY)
