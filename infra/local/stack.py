"""Egret on one computer: a database, the table, a trusted issuer and the server, started and stopped together.

Everything is kept in one folder; a second start finds the keys and the data of the first. Nothing of the user's AWS
settings is read.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

from infra.local.client import Client
from infra.local.database import FOLDER as DATABASE_PROGRAM
from infra.local.database import NOBODY, REGION, Database, client, streams
from infra.local.httpd import LocalServer
from infra.local.issuer import DevelopmentIssuer
from infra.local.pages import JWKS_PATH, Pages
from infra.local.sender import HOUR_SECONDS, TICK_SECONDS, Sender
from infra.local.stub_bank import Answer, StubBank

if TYPE_CHECKING:
    from infra.local.gateway import Gateway
    from infra.local.pump import Pump

TABLE = "egret"
BANK = "xiamen/demo-bank"


class Stack:
    """A running Egret.

    Args:
        folder: Where keys and data are kept.
        port: Where the server listens; 0 takes a free port.
        note: Told of every request answered (method, path, status).
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        note: Callable[[str, str, int], None] = lambda *_: None,
    ) -> None:
        self.folder = folder
        self.issuer = DevelopmentIssuer.kept_in(folder / "keys" / "issuer.pem")
        self.database = Database(folder / "data" / "egret.db", folder=DATABASE_PROGRAM)
        self._port = port
        self._note = note
        self._thread: threading.Thread | None = None
        self._pump: Pump | None = None
        self._sender: Sender | None = None
        self._daily: Sender | None = None
        self._bank: StubBank | None = None
        self._log = (folder / "log.jsonl").open("a", encoding="utf-8", buffering=1)

    def start(self) -> Self:
        """Starts everything; returns once the server answers."""
        # The port is taken first: if it is in use, nothing else has been started.
        self.server = LocalServer(self._port, Pages(self.issuer).page, self._note)
        try:
            endpoint = self.database.start()
            self._bank = StubBank(
                self._keys, self._tell, _kept(self.database, self.folder / "data" / "stub_bank.jsonl")
            )
            self.database.create_table(TABLE)
            self._settle(endpoint)
            self.server.gateway = _gateway(self._log)
            self._pump = _pump(self.database, self.folder / "data" / "stream.json")
            self._sender, self._daily = _sender(), _daily()
        except BaseException:
            self.server.server_close()
            if self._bank is not None:
                self._bank.stop()
            self.database.stop()
            raise
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        self._thread.start()
        self._pump.start()
        self._bank.start()
        self._sender.start()
        self._daily.start()
        return self

    def drain(self) -> int:
        """Returns once what was written so far has had its consequences; from how many records they came."""
        assert self._pump is not None, "the stack is not running"
        return self._pump.drain()

    def send(self) -> dict[str, Any]:
        """Returns once the bank was called with whatever is due now; what was said of it."""
        assert self._sender is not None, "the stack is not running"
        return self._sender.tick()

    @property
    def bank(self) -> StubBank:
        """The demo bank's core."""
        assert self._bank is not None, "the stack is not running"
        return self._bank

    def daily(self) -> dict[str, Any]:
        """Returns once all was done that has its day by now; what was said of it. What it writes, the pump reads."""
        assert self._daily is not None, "the stack is not running"
        return self._daily.tick()

    @property
    def url(self) -> str:
        """Where the server listens."""
        return self.server.url

    def stop(self) -> None:
        """Stops everything it started and waits for the end."""
        for woken in (self._sender, self._daily):
            if woken is not None:
                woken.stop()
        if self._thread is not None:
            self.server.shutdown()
            self._thread.join()
            self._thread = None
        if self._pump is not None:
            self._pump.stop()
        if self._bank is not None:
            self._bank.stop()
        self.server.server_close()
        self.database.stop()
        self._log.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _settle(self, endpoint: str) -> None:
        """The environment the app reads; it must not have been imported before."""
        assert "chalicelib.core.table" not in sys.modules, "the app was imported before its environment was set"
        for name in [n for n in os.environ if n.startswith("AWS_")]:
            del os.environ[name]
        os.environ.update(
            {
                "AWS_ACCESS_KEY_ID": NOBODY["aws_access_key_id"],
                "AWS_SECRET_ACCESS_KEY": NOBODY["aws_secret_access_key"],
                "AWS_DEFAULT_REGION": REGION,
                "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
                "EGRET_STAGE": "local",
                "EGRET_TABLE": TABLE,
                "EGRET_ISSUERS": json.dumps(self.issuer.configuration(self.url + JWKS_PATH)),
                "EGRET_SEAL_KEY": "plain:" + self._kept_key("seal"),
                "EGRET_INDEX_KEY": "plain:" + self._kept_key("index"),
                "EGRET_SIGNING_KEY": "plain:" + self._kept_signing_key(),
                "EGRET_RETIRED_KEYS": "[]",
                "EGRET_ENROL_FUNCTION": "",
                "EGRET_BANKS": json.dumps({BANK: self.bank.address}),
            }
        )

    def _keys(self) -> Any:
        """What Egret publishes, as the bank asks for it: over HTTP."""
        return Client(self.url, self.issuer).done("GET", "/v1/keys")

    def _tell(self, instruction_id: str, answer: Answer) -> None:
        """The bank answers by itself. What Egret makes of it is not the bank's business."""
        path = f"/v1/credit-instructions/{instruction_id}/answers"
        actor = "bank:{1}@{0}".format(*BANK.split("/"))
        Client(self.url, self.issuer).send("POST", path, actor, answer, key="stub-" + secrets.token_hex(12))

    def _kept_key(self, name: str) -> str:
        """32 random bytes in base64, made on first use and readable by the owner only."""
        path = self.folder / "keys" / f"{name}.key"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(base64.b64encode(secrets.token_bytes(32)).decode())
        return path.read_text().strip()

    def _kept_signing_key(self) -> str:
        """A key of the development issuer's kind, of its own, made on first use."""
        return base64.b64encode(DevelopmentIssuer.kept_in(self.folder / "keys" / "signing.pem").pem).decode()


def _gateway(sink: TextIO) -> Gateway:
    """The app behind its gateway; imported only now, because it reads its environment as it is imported."""
    from app import app
    from chalicelib.core import log
    from infra.local.gateway import Gateway

    log.sink = sink
    return Gateway(app)


def _sender() -> Sender:
    """The app's own function that calls the banks' cores."""
    from app import outbox

    return Sender(outbox)


def _daily() -> Sender:
    """The app's own function that does whatever has its day: every hour, and a moment after the start."""
    from app import daily

    return Sender(daily, HOUR_SECONDS, TICK_SECONDS)


def _pump(database: Database, kept: Path) -> Pump:
    """The table's stream, into the app's own function. What moto had in memory is gone with it, and so is the place."""
    from app import stream
    from infra.local.pump import Pump

    return Pump(client(database.endpoint), streams(database.endpoint), TABLE, stream, _kept(database, kept))


def _kept(database: Database, path: Path) -> Path | None:
    """Where something is kept that must not outlive the database's data; None where those are in memory."""
    return path if database.engine == "dynoxide" else None
