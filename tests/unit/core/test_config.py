"""A deployed stage does not start on what only development may use."""

from __future__ import annotations

import json

import pytest

from chalicelib.core import auth, config
from chalicelib.core.config import Config, load

DEPLOYED = {
    "EGRET_STAGE": "prod",
    "EGRET_ENROL_FUNCTION": "egret-enrol",
    "EGRET_SEAL_KEY": "kms:AA==",
    "EGRET_SIGNING_KEY": "kms:some-key",
}


def test_a_deployed_stage_starts_with_its_keys_in_kms() -> None:
    assert not load(DEPLOYED).development


@pytest.mark.parametrize(
    "broken",
    [
        {"EGRET_SEAL_KEY": "plain:AA=="},
        {"EGRET_INDEX_KEY": "plain:AA=="},
        {"EGRET_SIGNING_KEY": "plain:AA=="},
        {"EGRET_ENROL_FUNCTION": ""},
    ],
)
def test_a_deployed_stage_that_is_not_whole_does_not_start(broken: dict[str, str]) -> None:
    with pytest.raises(AssertionError):
        load({**DEPLOYED, **broken})


@pytest.mark.parametrize("stage", ["local", "test"])
def test_development_may_use_plain_keys(stage: str) -> None:
    assert load({"EGRET_STAGE": stage, "EGRET_SEAL_KEY": "plain:AA=="}).development


def test_a_forgotten_stage_is_not_development() -> None:
    assert not load({}).development
    with pytest.raises(AssertionError):
        load({"EGRET_SEAL_KEY": "plain:AA=="})


def test_a_deployed_stage_refuses_the_development_issuer(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {"iss": "x", "alg": "ES256", "kinds": [], "cities": [], "tenants": [], "jwks": {}, "development": True}
    deployed = Config("prod", "egret", "", "", "", "egret-enrol")
    monkeypatch.setattr(config, "current", lambda: deployed)
    with pytest.raises(AssertionError):
        auth._issuers(json.dumps([entry]))
