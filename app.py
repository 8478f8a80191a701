"""Wiring only: which domains the API serves, and the functions that stand beside it."""

from __future__ import annotations

from typing import Any

from chalice.app import Chalice

from chalicelib.cities.routes import routes as cities
from chalicelib.core import chores, codec, functions
from chalicelib.core import stream as changes
from chalicelib.ledger.routes import routes as ledger
from chalicelib.linking.routes import routes as linking
from chalicelib.medical.routes import routes as medical
from chalicelib.offers.routes import routes as offers
from chalicelib.partners.routes import routes as partners
from chalicelib.records.routes import routes as records
from chalicelib.scenarios.routes import routes as scenarios
from chalicelib.scores.routes import routes as scores
from chalicelib.subjects.routes import routes as subjects

app = Chalice(app_name="egret")

for domain in (cities, partners, ledger, linking, subjects, records, scores, scenarios, offers, medical):
    app.register_blueprint(domain.blueprint)


@app.lambda_function(name="enrol")
def enrol(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """The only function that may compute the keyed digest of an identity document."""
    return functions.answer("enrol", event)


@app.lambda_function(name="stream")
def stream(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """The only reader of the table's stream: what follows from a write."""
    return changes.answer(event)


@app.lambda_function(name="outbox")
def outbox(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Calls the cores of banks with the instructions that are due."""
    return functions.answer("outbox", {"request_id": event.get("id", "-"), "payload": {}})


@app.lambda_function(name="daily")
def daily(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Does whatever has its day: reminders, suspensions, credit records."""
    return dict(codec.plain(chores.do_all()))
