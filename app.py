"""Wiring only: which domains the API serves, and the functions that stand beside it."""

from __future__ import annotations

from typing import Any

from chalice.app import Chalice

from chalicelib.cities.routes import routes as cities
from chalicelib.core import functions
from chalicelib.linking.routes import routes as linking
from chalicelib.partners.routes import routes as partners
from chalicelib.scenarios.routes import routes as scenarios
from chalicelib.scores.routes import routes as scores
from chalicelib.subjects.routes import routes as subjects

app = Chalice(app_name="egret")

for domain in (cities, partners, linking, subjects, scores, scenarios):
    app.register_blueprint(domain.blueprint)


@app.lambda_function(name="enrol")
def enrol(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """The only function that may compute the keyed digest of an identity document."""
    return functions.answer("enrol", event)
