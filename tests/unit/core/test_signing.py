"""Whoever has the published keys can check a statement; whoever has not the private one can make none."""

from __future__ import annotations

import base64
import dataclasses
import json
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from chalicelib.core import codec, config, signing
from infra.local.issuer import DevelopmentIssuer

TYP = "egret-statement+jws"


@dataclass(frozen=True, slots=True)
class Statement:
    """Its fields are not in the order of the alphabet, so that a payload that is not canonical shows."""

    payable_fen: int
    day: str
    merchant: str


STATED = Statement(120_050, "2026-05-01", "清流农场")


def verified(text: str, keys: dict[str, Any]) -> Any:
    """What a stranger gets who knows nothing but the published keys. Raises: jwt.PyJWTError."""
    found = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(text)["kid"]]
    return json.loads(jwt.PyJWS().decode(text, found.key, algorithms=["ES256"]))


def setting_of(key: Any) -> str:
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return "plain:" + base64.b64encode(pem).decode()


def configured(monkeypatch: pytest.MonkeyPatch, **changes: str) -> None:
    made = dataclasses.replace(config.current(), **changes)
    monkeypatch.setattr(config, "current", lambda: made)


def parts(text: str) -> list[bytes]:
    return [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in text.split(".")]


def again(*sections: bytes) -> str:
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in sections)


def test_a_statement_is_verified_from_the_published_keys() -> None:
    text = signing.sign(STATED, TYP)
    assert verified(text, signing.jwks()) == codec.plain(STATED)
    header, payload, signature = parts(text)
    assert payload == codec.canonical(STATED).encode()
    assert json.loads(header) == {"alg": "ES256", "typ": TYP, "kid": signing.jwks()["keys"][0]["kid"]}
    assert len(signature) == 64


def test_a_mapping_of_the_same_content_is_the_same_statement() -> None:
    texts = [signing.sign(each, TYP) for each in (STATED, codec.plain(STATED))]
    assert len({text.rpartition(".")[0] for text in texts}) == 1


def test_every_signature_has_two_numbers_of_full_length() -> None:
    """A number that happens to be small is filled up: one in 128 signatures would be too short otherwise."""
    for n in range(300):
        assert len(parts(signing.sign({"n": n}, TYP))[2]) == 64


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_changed_statement_is_not_verified(place: int) -> None:
    sections = parts(signing.sign(STATED, TYP))
    changes = [
        (b'"typ":"egret', b'"typ":"other'),
        (b"120050", b"120051"),
        (sections[2], bytes([sections[2][0] ^ 1]) + sections[2][1:]),
    ]
    sections[place] = sections[place].replace(*changes[place], 1)
    with pytest.raises(jwt.InvalidSignatureError):
        verified(again(*sections), signing.jwks())


def test_another_key_verifies_nothing_and_signs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    text, published = signing.sign(STATED, TYP), signing.jwks()
    configured(monkeypatch, signing_key=setting_of(DevelopmentIssuer.fresh().key))
    others = signing.jwks()
    (theirs,), (ours,) = others["keys"], published["keys"]
    assert theirs["kid"] != ours["kid"]
    with pytest.raises(jwt.InvalidSignatureError):
        verified(text, {"keys": [{**theirs, "kid": ours["kid"]}]})
    with pytest.raises(KeyError):
        verified(signing.sign(STATED, TYP), published)


def test_what_an_earlier_key_signed_is_verified_after_it_was_retired(monkeypatch: pytest.MonkeyPatch) -> None:
    text, published = signing.sign(STATED, TYP), signing.jwks()
    new = setting_of(DevelopmentIssuer.fresh().key)
    configured(monkeypatch, signing_key=new, retired_keys=json.dumps(published["keys"]))
    now = signing.jwks()
    assert now["keys"][1:] == published["keys"]
    assert verified(text, now) == verified(signing.sign(STATED, TYP), now) == codec.plain(STATED)


def test_only_public_parts_are_published(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(DevelopmentIssuer.fresh().key))
    assert "d" in whole
    configured(monkeypatch, retired_keys=json.dumps([whole]))
    for key in signing.jwks()["keys"]:
        assert set(key) == {"kty", "crv", "x", "y", "alg", "kid", "use"}


def test_a_key_is_named_by_its_thumbprint(monkeypatch: pytest.MonkeyPatch) -> None:
    """Computed apart from the code, for the key of RFC 7515, appendix A.3."""
    x, y = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
    configured(monkeypatch, retired_keys=json.dumps([{"x": x, "y": y}]))
    assert signing.jwks()["keys"][1]["kid"] == "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"


@pytest.mark.parametrize(
    "setting",
    [
        "",
        "kms",
        "other:AA==",
        setting_of(ec.generate_private_key(ec.SECP384R1())),
        setting_of(ec.generate_private_key(ec.SECP256K1())),
        setting_of(rsa.generate_private_key(65537, 2048)),
    ],
    ids=["none", "no value", "another kind", "another curve", "a curve of the same size", "RSA"],
)
def test_what_is_no_signing_key_is_a_broken_belief(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    configured(monkeypatch, signing_key=setting)
    with pytest.raises(AssertionError):
        signing.sign(STATED, TYP)
