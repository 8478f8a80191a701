"""What a bank's pull of a limit and a hospital's hold cost beside their two calls to the database.

The floor is a bare botocore client (see ``floors.py``). A pull reads four items and writes two in one transaction: a
condition on the account, and the effect. A hold reads the same and writes five: beside these the line, the hold and the
pass that is used up. Ours is the service (pass opened, policy and consents checked, score decided on, limit, line and
hold worked out, effect made and written), and, for information, the whole request around it: gateway event in, token
verified, reply out.
"""

from __future__ import annotations

import io
import json
from typing import Any
from unittest import mock

import tests.conftest  # noqa: F401 - the environment comes before whatever reads it

# isort: split

from chalicelib.core import clock, effect, log
from chalicelib.core.auth import Caller, verify
from chalicelib.core.commit import Unit
from chalicelib.medical import service
from tests import world
from tests.bench.floors import beside_botocore, gateway
from tests.conftest import ISSUER
from tests.integration.medical.clinic import SCOPES, Clinic
from tests.world import BANK, HOSPITAL, World

LIMIT = 1.25
AMOUNT_FEN = 20_000
KEY = "bench-medical"


def measure() -> list[dict[str, Any]]:
    """Medians of many rounds: name, floor_us, ours_us, ratio, limit (None: for information)."""
    made = world._loaded()
    with made.active(), mock.patch.object(log, "sink", io.StringIO()):
        made.restore()
        clinic = Clinic(made)
        who = clinic.insured()
        # A pass is valid for a short time only, and what is measured takes longer.
        with clock.fixed(clock.now()):
            found = [*_pull(clinic, who), *_hold(clinic, who)]
        made.restore()
    return found


def _pull(clinic: Clinic, who: str) -> list[dict[str, Any]]:
    body = {"subject_id": clinic.world.known_to(BANK, who)}
    token, caller, intent = _asked(clinic.world, BANK, "/v1/credit-limits", body)

    def served() -> None:
        view = service.pull(Unit(), intent, clock.now(), caller, body["subject_id"])
        assert view.available_fen == view.granted_fen != 0

    calls = [("BatchGetItem", 4), ("TransactWriteItems", 2)]
    request = gateway("POST", "/v1/credit-limits", token, body)
    return beside_botocore("medical.pull", request, served, calls, limit=LIMIT)


def _hold(clinic: Clinic, who: str) -> list[dict[str, Any]]:
    body = clinic.hold_body(who, AMOUNT_FEN)
    token, caller, intent = _asked(clinic.world, HOSPITAL, "/v1/credit-holds", body)
    wish = service.Wish(body["bank_id"], body["visit_ref"], AMOUNT_FEN)

    def served() -> None:
        view = service.hold(Unit(), intent, clock.now(), caller, wish, body["pass_code"])
        assert view.left_fen == AMOUNT_FEN

    calls = [("BatchGetItem", 4), ("TransactWriteItems", 5)]
    request = gateway("POST", "/v1/credit-holds", token, body)
    return beside_botocore("medical.hold", request, served, calls, limit=LIMIT)


def _asked(made: World, actor: str, path: str, body: Any) -> tuple[str, Caller, effect.Intent]:
    """The token of an institution, who it is by that, and what it is about to do."""
    claims = made.client.claims(actor)
    token = ISSUER.token(**claims, scope=SCOPES[claims["actor"]], now=clock.now())
    caller = verify(f"Bearer {token}", clock.now())
    return token, caller, effect.intend(caller.city_id, caller.kind, caller.tenant, f"POST {path}", KEY, body)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2, ensure_ascii=False))
