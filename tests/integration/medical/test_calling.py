"""One call of a bank's core: what counts as an answer, and what the bank can check of what it is sent."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from chalicelib.core import schema, signing
from chalicelib.medical.rules.instructions import InstructionOrder
from chalicelib.medical.service import calling
from infra.local.stub_bank import Book, Refused, StubBank, verified

NOW = datetime(2026, 8, 3, 4, tzinfo=UTC)
ID = "xiamen.demo-bank." + "a" * 26
ORDER = InstructionOrder(ID, "collect", "p1_" + "a" * 111, 5_000, "CNY", date(2026, 8, 3), None, None)
GOOD = {"instruction_id": ID, "state": "accepted", "reference": "B1"}
DROPS = 40
Serve = Callable[[BaseHTTPRequestHandler], None]


class Odd:
    """A core that answers as the test says."""

    def __init__(self) -> None:
        self.serve: Serve = lambda handler: None
        odd, self.seen = self, list[Any]()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                odd.seen.append((self.headers, self.rfile.read(int(self.headers["Content-Length"]))))
                odd.serve(self)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/x"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def says(self, body: bytes, status: int = 200, **headers: str) -> None:
        def serve(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in {"Content-Length": f"{len(body)}", **headers}.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(body)

        self.serve = serve


@pytest.fixture(scope="module")
def odd() -> Iterator[Odd]:
    made = Odd()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def bank() -> Iterator[StubBank]:
    made = StubBank(signing.jwks).start()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "READ_TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(calling, "WHOLE_TIMEOUT_SECONDS", 0.4)


def text(**changes: Any) -> bytes:
    return json.dumps({k: v for k, v in {**GOOD, **changes}.items() if v is not None}).encode()


def test_what_is_said_is_taken(odd: Odd) -> None:
    odd.says(text(state="refused", reason="no-funds"))
    said = calling.ask(odd.address, ORDER, NOW)
    assert said is not None
    assert (said.state, said.reference, said.reason, said.at, said.way) == ("refused", "B1", "no-funds", NOW, "call")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>", b"[]", b"null", b'{"state": "accepted"', text(state="unknown"), text(reference=None),
        text(reference="x y"), text(extra=1), text(instruction_id=ID[:-1] + "b"), text(reason="Hello there"),
        text()[:-1] + b', "state": "refused"}', b"\xff\xfe", text() + b" " * 20_000,
    ],
)  # fmt: skip
def test_what_cannot_be_relied_on_is_no_answer(odd: Odd, body: bytes) -> None:
    odd.says(body)
    assert calling.ask(odd.address, ORDER, NOW) is None


@pytest.mark.parametrize("status", [201, 204, 302, 400, 404, 409, 500, 503])
def test_another_status_says_nothing_of_what_was_done(odd: Odd, status: int) -> None:
    odd.says(b"" if status == 204 else text(), status, Location=odd.address)
    before = len(odd.seen)
    assert calling.ask(odd.address, ORDER, NOW) is None
    assert len(odd.seen) == before + 1, "nobody is sent on, and nothing is sent twice"


def dripping() -> Iterator[int]:
    """A drop every tenth of a second; whoever gives up in time does not see the last one."""
    for drop in range(DROPS):
        yield drop
        time.sleep(0.1)


def test_a_body_that_comes_drop_by_drop_is_given_up(odd: Odd) -> None:
    fallen: list[int] = []

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for drop in dripping():
            fallen.append(drop)
            handler.wfile.write(b" " * 4_096)
            handler.wfile.flush()

    odd.serve = drip
    assert calling.ask(odd.address, ORDER, NOW) is None
    assert 0 < len(fallen) < DROPS


@pytest.mark.parametrize(
    "begun", [b"", b"HTTP/1.1 200 OK\r\nX-A: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n"]
)
def test_a_reply_that_comes_drop_by_drop_is_given_up_wherever_it_drips(odd: Odd, begun: bytes) -> None:
    fallen: list[int] = []

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(begun)
        for drop in dripping():
            fallen.append(drop)
            handler.wfile.write(b" ")

    odd.serve = drip
    assert calling.ask(odd.address, ORDER, NOW) is None
    assert 0 < len(fallen) < DROPS


def test_a_reply_that_was_cut_off_in_time_is_no_answer_even_if_it_can_be_read(odd: Odd) -> None:
    def serve(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n" + text())
        for _ in range(10):
            handler.wfile.write(b" ")
            time.sleep(0.1)

    odd.serve = serve
    assert calling.ask(odd.address, ORDER, NOW) is None


def test_a_handshake_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    fallen: list[int] = []

    def drip() -> None:
        caller, _ = listening.accept()
        # The head of a long record of the handshake, of which one byte comes at a time.
        with caller, suppress(OSError):
            caller.sendall(b"\x16\x03\x03\x40\x00")
            for drop in dripping():
                fallen.append(drop)
                caller.sendall(b"\x02")

    threading.Thread(target=drip, daemon=True).start()
    assert calling.ask(f"https://127.0.0.1:{listening.getsockname()[1]}/x", ORDER, NOW) is None
    assert 0 < len(fallen) < DROPS
    listening.close()


def test_a_bank_whose_certificate_nobody_vouches_for_is_not_asked(tmp_path: Path) -> None:
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(_certificate(tmp_path))
    listening, heard = socket.create_server(("127.0.0.1", 0)), list[bytes]()

    def serve() -> None:
        caller, _ = listening.accept()
        with suppress(OSError):
            heard.append(served.wrap_socket(caller, server_side=True).recv(100))

    threading.Thread(target=serve, daemon=True).start()
    assert calling.ask(f"https://127.0.0.1:{listening.getsockname()[1]}/x", ORDER, NOW) is None
    assert heard == []
    listening.close()


def _certificate(folder: Path) -> Path:
    """A certificate that names this computer and is vouched for by nobody, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    began = datetime(2020, 1, 1, tzinfo=UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(began).not_valid_after(began.replace(year=2099))
    signed = made.add_extension(address, critical=False).sign(key, hashes.SHA256())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )  # fmt: skip
    path = folder / "bank.pem"
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + pem)
    return path


def test_a_length_that_is_not_kept_is_no_answer(odd: Odd) -> None:
    odd.says(text(), 200, **{"Content-Length": "500"})
    assert calling.ask(odd.address, ORDER, NOW) is None


def test_nobody_there_is_no_answer() -> None:
    assert calling.ask("http://127.0.0.1:1/x", ORDER, NOW) is None


def test_what_is_sent_is_signed_and_can_be_checked_by_the_published_keys(odd: Odd) -> None:
    odd.says(text())
    calling.ask(odd.address, ORDER, NOW)
    headers, body = odd.seen[-1]
    assert headers["Content-Type"] == "application/jose"
    order = verified(body, signing.jwks())
    schema.validate("medical/instruction_order.json", order)
    assert (order["instruction_id"], order["amount_fen"], order["kind"]) == (ID, 5_000, "collect")


def test_the_stub_believes_nothing_that_is_not_signed(bank: StubBank) -> None:
    good = signing.sign(ORDER, calling.SIGNED_AS)
    head, payload, signature = good.split(".")
    other = signing.sign(ORDER, "egret-statement+jwt")
    changed = signing.sign({"instruction_id": ID}, calling.SIGNED_AS).split(".")[1]
    mine = jwt.encode({"instruction_id": ID}, "x" * 32, algorithm="HS256", headers={"typ": calling.SIGNED_AS})
    for forged in (f"{head}.{changed}.{signature}", f"{head}.{payload}.AAAA", other, mine, "x", ""):
        with pytest.raises(Refused):
            verified(forged.encode(), signing.jwks())
        assert httpx.post(bank.address, content=forged, trust_env=False).status_code == 401
    assert httpx.post(bank.address, content=good, trust_env=False).json()["state"] == "accepted"
    assert list(bank.book.lines) == [ID]


def test_the_stub_does_a_thing_once_and_keeps_it(tmp_path: Any) -> None:
    path = tmp_path / "deep" / "book.jsonl"
    order = verified(signing.sign(ORDER, calling.SIGNED_AS).encode(), signing.jwks())
    first = Book(path).do(order, "accepted")
    assert Book(path).do(order, "refused") == first
    header, line = Book(path).csv().splitlines()
    assert header == "instruction_id,kind,amount,day,state,reference"
    assert line == f"{ID},collect,50.00,2026-08-03,accepted,{first.reference}"


@pytest.mark.parametrize("torn", [b"{", b'{"instruction_id": "x', b"\xe4"])
def test_a_line_of_the_stubs_book_that_was_torn_is_taken_out(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "book.jsonl"
    order = verified(signing.sign(ORDER, calling.SIGNED_AS).encode(), signing.jwks())
    first = Book(path).do(order, "accepted")
    with path.open("ab") as out:
        out.write(torn)
    second = Book(path).do({**order, "instruction_id": ID[:-1] + "b"}, "refused")
    assert list(Book(path).lines.values()) == [first, second]


def test_the_stub_misbehaves_when_it_is_asked_to(bank: StubBank) -> None:
    with httpx.Client(base_url=bank.url, trust_env=False) as http:
        assert http.post("/misbehave", json={"next": ["dance"]}).status_code == 422
        assert http.post("/misbehave", content=b"x").status_code == 422
        assert http.post("/misbehave", json={"next": ["500", "refuse"]}).json() == {"next": ["500", "refuse"]}
        assert calling.ask(bank.address, ORDER, NOW) is None
        said = calling.ask(bank.address, ORDER, NOW)
        assert said is not None
        assert said.state == "refused"
        assert "refused" in http.get("/book.csv").text
        assert http.get("/nothing").status_code == http.post("/nothing").status_code == 404
