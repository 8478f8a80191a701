"""A request that converts 1,000 scores, against reading, converting and writing the same without any service around it.

Ours is the whole app but the network: gateway event in, token verified, schema checked, control items decoded, reply
out. The floor is ``json.loads``, a bare loop of the same conversions, and ``json.dumps`` of the same fields.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from time import perf_counter
from typing import Any
from unittest import mock

from chalicelib.cities import store as cities
from chalicelib.cities.rules import Control
from chalicelib.core import log
from chalicelib.core.table import Key, Row
from chalicelib.linking import store
from chalicelib.linking.rules import Conversion, Converter
from infra.local.figures import concordance_of
from tests.conftest import ISSUER

LIMIT = 3.0
REPEATS = 30
SCORES = [400 + (i * 37) % 500 for i in range(1000)]
FIELDS = tuple(field.name for field in fields(Conversion))


def measure() -> list[dict[str, Any]]:
    """One row: microseconds of both, ratio, limit."""
    here, there = concordance_of("hangzhou"), concordance_of("xiamen")
    converter = Converter(*here, *there)
    raw = json.dumps({"from_city": "hangzhou", "to_city": "xiamen", "scores": SCORES})

    def floor() -> str:
        scores = json.loads(raw)["scores"]
        rows = []
        for score in scores:
            found = converter(score)
            rows.append({name: getattr(found, name) for name in FIELDS})
        return json.dumps({"items": rows})

    with _memory(here, there):
        ours = _app(raw)
        assert json.loads(ours()) == json.loads(floor()), "both sides give the same answer"
        times = [(_time(floor), _time(ours)) for _ in range(REPEATS)]
    floor_us, ours_us = min(f for f, _ in times), min(o for _, o in times)
    row = {"name": "linking.convert 1,000 in a request", "floor_us": floor_us, "ours_us": ours_us}
    return [{**row, "ratio": ours_us / floor_us, "limit": LIMIT}]


def _time(call: Any) -> float:
    started = perf_counter()
    call()
    return (perf_counter() - started) * 1e6


def _app(raw: str) -> Any:
    from app import app

    headers = {
        "authorization": "Bearer " + ISSUER.token("city", "hangzhou", "hangzhou"),
        "content-type": "application/json",
    }
    event = {
        "requestContext": {"httpMethod": "POST", "resourcePath": "/v1/conversions", "path": "/v1/conversions"},
        "headers": headers,
        "pathParameters": {},
        "multiValueQueryStringParameters": None,
        "stageVariables": {},
        "body": raw,
        "isBase64Encoded": False,
    }

    def call() -> str:
        answer = app(event, None)
        assert answer["statusCode"] == 200, answer
        return str(answer["body"])

    return call


@contextmanager
def _memory(here: Any, there: Any) -> Iterator[None]:
    """The items that the request reads, without a database: only the network is left out."""
    found = {}
    for concordance, _ in (here, there):
        city_id = concordance.city_id
        control = Control(city_id, "Asia/Shanghai", scale_version=1, concordance_version=concordance.version)
        found[cities.control_key(city_id)] = cities.control_row(control)
    versions = {(c.city_id, c.version): c for c, _ in (here, there)}
    scales = {(s.city_id, s.version): s for _, s in (here, there)}

    def fetch(keys: Any) -> dict[Key, Row]:
        return {key: found[key] for key in keys}

    with (
        mock.patch("chalicelib.core.table.fetch", fetch),
        mock.patch.object(store, "load_concordance", lambda *key: versions[key]),
        mock.patch.object(cities, "load_scale", lambda *key: scales[key]),
        mock.patch.object(log, "sink", io.StringIO()),
    ):
        yield
