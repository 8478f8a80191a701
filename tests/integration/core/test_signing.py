"""Signing with a key in KMS, and the keys as anybody fetches them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import boto3
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from moto import mock_aws
from moto.kms.utils import ECDSAPrivateKey

from chalicelib.core import config, signing
from tests.conftest import Api

TYP = "egret-statement+jws"


class Kms:
    """moto's KMS, and what it was asked. moto takes every message for a whole one; real KMS was told: a digest."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.client = boto3.client("kms")
        self.client.meta.events.register("before-parameter-build.kms", self._note)
        made = self.client.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
        self.key_id = made["KeyMetadata"]["Arn"]

    def _note(self, model: Any, params: dict[str, Any], **_: Any) -> None:
        self.asked.append(model.name)
        if model.name == "Sign":
            assert (params["MessageType"], len(params["Message"])) == ("DIGEST", 32)


def signed(self: ECDSAPrivateKey, message: bytes, _algorithm: str) -> bytes:
    return self.private_key.sign(message, ec.ECDSA(Prehashed(SHA256())))


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kms]:
    monkeypatch.setattr(ECDSAPrivateKey, "sign", signed)
    with mock_aws():
        made = Kms()
        setting = dataclasses.replace(config.current(), stage="prod", signing_key=f"kms:{made.key_id}")
        monkeypatch.setattr(config, "current", lambda: setting)
        monkeypatch.setattr(boto3, "client", lambda service: {"kms": made.client}[service])
        made.asked.clear()
        yield made


@pytest.mark.parametrize("lines", [1, 1000], ids=["short", "longer than KMS takes"])
def test_a_statement_signed_in_kms_is_verified_from_the_published_keys(kms: Kms, lines: int) -> None:
    stated = {"lines": [{"fen": n} for n in range(lines)]}
    text = signing.sign(stated, TYP)
    found = jwt.PyJWKSet.from_dict(signing.jwks())[jwt.get_unverified_header(text)["kid"]]
    assert json.loads(jwt.PyJWS().decode(text, found.key, algorithms=["ES256"])) == stated
    tampered = text.replace(text.split(".")[1], text.split(".")[1][:-4] + "AAAA")
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.PyJWS().decode(tampered, found.key, algorithms=["ES256"])


def test_the_public_key_is_fetched_once(kms: Kms) -> None:
    for n in range(3):
        signing.sign({"n": n}, TYP)
        signing.jwks()
    assert kms.asked == ["GetPublicKey", "Sign", "Sign", "Sign"]


def test_anybody_fetches_the_keys_and_need_not_fetch_them_again(api: Api) -> None:
    first = api.get("/v1/keys")
    assert (first.status, first.body) == (200, signing.jwks())
    assert api.get("/v1/keys", headers={"If-None-Match": first.headers["etag"]}).status == 304
    text = signing.sign({"n": 1}, TYP)
    found = jwt.PyJWKSet.from_dict(first.body)[jwt.get_unverified_header(text)["kid"]]
    assert jwt.PyJWS().decode(text, found.key, algorithms=["ES256"]) == b'{"n":1}'
