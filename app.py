"""Wiring only: which blueprints the API serves, and the functions that stand beside it."""

from __future__ import annotations

from typing import Any

from chalice.app import Chalice

from chalicelib.cities.routes import routes as cities

app = Chalice(app_name="egret")
app.api.binary_types = []

for domain in (cities,):
    app.register_blueprint(domain.blueprint)
