"""Which tokens prove a caller, and that every other one gets the same answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.core import auth, config, jose
from chalicelib.core.auth import Caller
from chalicelib.core.errors import Unauthenticated
from tests.unit.core.minting import AT, NOW, Minter, b64, claims, hmac_signed

ES = Minter.of("ES256")
OTHER = Minter.of("ES256")
Trust = Callable[..., None]


@pytest.fixture
def trust(monkeypatch: pytest.MonkeyPatch) -> Trust:
    """Makes these issuers the trusted ones."""

    def trusted(*issuers: dict[str, Any]) -> None:
        settings = replace(config.current(), issuers=json.dumps(issuers))
        monkeypatch.setattr(config, "current", lambda: settings)

    jose._key_sets.clear()
    return trusted


def verify(token: str, at: datetime = NOW) -> Caller:
    return auth.verify(f"Bearer {token}", at)


def refused(token: str, at: datetime = NOW) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        verify(token, at)
    assert refusal.value.detail == Unauthenticated.title


def test_a_good_token_names_its_caller(trust: Trust) -> None:
    trust(ES.issuer())
    assert verify(ES.mint()) == Caller(
        "city", "xiamen", "xiamen", frozenset({"cities:write", "scores:read"}), frozenset({"author"}), "operator-1"
    )


@pytest.mark.parametrize("alg", ["ES256", "RS256", "PS256", "EdDSA"])
@pytest.mark.parametrize("named", [True, False], ids=["alg in the key", "no alg in the key"])
def test_every_algorithm_that_an_issuer_may_have(trust: Trust, alg: str, named: bool) -> None:
    minter = Minter.of(alg)
    trust(minter.issuer(jwks={"keys": [minter.jwk(alg=alg if named else None)]}))
    assert verify(minter.mint()).tenant == "xiamen"


def test_the_type_may_be_written_in_full_and_the_scheme_in_any_case(trust: Trust) -> None:
    trust(ES.issuer())
    assert verify(ES.mint(typ="application/AT+JWT"))
    assert auth.verify("bEARER " + ES.mint(), NOW)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic dTpw", "Bearer  x", "Bearer é.e.e", "x"])
def test_a_header_without_a_token(trust: Trust, header: str | None) -> None:
    trust(ES.issuer())
    with pytest.raises(Unauthenticated):
        auth.verify(header, NOW)


FORGED = {
    "no signature": b64({"typ": "at+jwt", "alg": "none", "kid": "k1"}) + "." + b64(claims()) + ".",
    "none in another case": b64({"typ": "at+jwt", "alg": "nOnE", "kid": "k1"}) + "." + b64(claims()) + ".",
    "HMAC with the public key": hmac_signed(ES.public_pem, claims()),
    "HMAC with the published key": hmac_signed(json.dumps(ES.jwk()).encode(), claims()),
    "HMAC with nothing": hmac_signed(b"", claims()),
    "another key": OTHER.mint(),
    "another algorithm": Minter.of("RS256").mint(),
    "its own key inside": OTHER.mint(jwk=OTHER.jwk()),
    "a place to find its key": ES.mint(jku="https://evil.example/jwks.json"),
    "a certificate's place": ES.mint(x5u="https://evil.example/cert"),
    "a certificate": ES.mint(x5c=["MIIB"]),
    "critical headers": ES.mint(crit=["exp"], exp=AT),
    "an unencoded payload": ES.mint(crit=["b64"], b64=False),
    "no type": ES.mint(typ=None),
    "an id token's type": ES.mint(typ="JWT"),
    "a pass's type": ES.mint(typ="egret-pass+jwt"),
    "an unknown key id": ES.mint(kid="k2"),
    "no key id": ES.mint(kid=None),
    "a key id that is no text": ES.mint(kid=1),
    "no issuer": ES.mint(claims(iss=None)),
    "an unknown issuer": ES.mint(claims(iss="https://id.evil.example")),
    "an issuer that is no text": ES.mint(claims(iss=["https://id.xiamen.example"])),
    "another audience": ES.mint(claims(aud="other")),
    "no audience": ES.mint(claims(aud=None)),
    "no subject": ES.mint(claims(sub=None)),
    "a subject that is no text": ES.mint(claims(sub=7)),
    "no token id": ES.mint(claims(jti=None)),
    "no client": ES.mint(claims(client_id=None)),
    "no end": ES.mint(claims(exp=None)),
    "no beginning": ES.mint(claims(iat=None)),
    "an end that is a fraction": ES.mint(claims(exp=AT + 0.5)),
    "an end that is a text": ES.mint(claims(exp=str(AT + 600))),
    "an end that is true": ES.mint(claims(exp=True)),
    "a life of more than an hour": ES.mint(claims(exp=AT + 3601)),
    "an endless life": ES.mint(claims(exp=10**30)),
    "expired": ES.mint(claims(iat=AT - 600, exp=AT - 30)),
    "issued in the future": ES.mint(claims(iat=AT + 31, exp=AT + 600)),
    "not yet valid": ES.mint(claims(nbf=AT + 31)),
    "an unknown kind of actor": ES.mint(claims(actor="emperor")),
    "a kind that is no text": ES.mint(claims(actor=["city"])),
    "no city": ES.mint(claims(city=None)),
    "a city that is no text": ES.mint(claims(city=3)),
    "a city with another's tenant": ES.mint(claims(tenant="hangzhou")),
    "a citizen with another's account": ES.mint(claims(actor="citizen", tenant="somebody-else")),
    "scopes that are a list": ES.mint(claims(scope=["cities:write"])),
    "roles that are a text": ES.mint(claims(roles="author")),
    "a payload that is no object": ES.sign({"typ": "at+jwt", "alg": "ES256", "kid": "k1"}, b"[]"),
    "a payload nested out of sight": ES.sign({"typ": "at+jwt", "alg": "ES256", "kid": "k1"}, b"[" * 5900),
    "a header nested out of sight": b64(b"[" * 5900) + ".e30.e30",
    "two parts": b64({"alg": "ES256"}) + "." + b64(claims()),
    "five parts": ES.mint() + ".a.b",
    "longer than any token": ES.mint(claims(jti="j" * 8192)),
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_a_forged_token_is_refused_like_any_other(trust: Trust, token: str) -> None:
    trust(ES.issuer())
    verify(ES.mint())
    refused(token)


def test_a_changed_token_is_refused(trust: Trust) -> None:
    trust(ES.issuer())
    header, _, signature = ES.mint().split(".")
    refused(".".join([header, b64(claims(scope="cities:admit")), signature]))
    refused(".".join([header, b64(claims()), ""]))


def test_thirty_seconds_of_skew_are_forgiven(trust: Trust) -> None:
    trust(ES.issuer())
    token = ES.mint(claims(exp=AT + 3600))
    assert verify(token, NOW - timedelta(seconds=30))
    assert verify(token, NOW + timedelta(seconds=3629, milliseconds=999))
    refused(token, NOW - timedelta(seconds=30, milliseconds=1))
    refused(token, NOW + timedelta(seconds=3630))
    assert verify(ES.mint(claims(nbf=AT + 30)))


def test_an_audience_among_others_is_enough(trust: Trust) -> None:
    trust(ES.issuer())
    assert verify(ES.mint(claims(aud=["other", "egret"])))


@pytest.mark.parametrize(
    "said",
    [
        claims(actor="bank", tenant="egret-bank"),
        claims(actor="alliance", city="alliance", tenant="alliance"),
        claims(actor="auditor", city="alliance", tenant="auditor"),
        claims(city="hangzhou", tenant="hangzhou"),
        claims(actor="citizen", city="hangzhou", sub="p1_x", tenant="p1_x"),
        claims(city="*", tenant="*"),
    ],
    ids=["bank", "alliance", "auditor", "another city", "another city's citizen", "every city"],
)
def test_a_citys_issuer_can_make_no_one_else(trust: Trust, said: dict[str, Any]) -> None:
    trust(ES.issuer())
    refused(ES.mint(said))


def test_an_issuer_vouches_for_its_own_tenants_only(trust: Trust) -> None:
    trust(ES.issuer(kinds=["bank"], tenants=["egret-bank"]))
    assert verify(ES.mint(claims(actor="bank", tenant="egret-bank"))).sector == "bank:xiamen/egret-bank"
    refused(ES.mint(claims(actor="bank", tenant="other-bank")))
    refused(ES.mint(claims(actor="bank", tenant=None)))


def test_an_alliance_token_says_alliance_in_every_place(trust: Trust) -> None:
    trust(ES.issuer(kinds=["alliance", "auditor", "city"], cities=["*"]))
    assert verify(ES.mint(claims(actor="alliance", city="alliance", tenant="alliance"))).kind == "alliance"
    refused(ES.mint(claims(actor="alliance", city="xiamen", tenant="alliance")))
    refused(ES.mint(claims(actor="auditor", city="xiamen", tenant="auditor")))


def test_an_issuer_cannot_speak_for_another(trust: Trust) -> None:
    bank = OTHER.issuer(iss="https://id.bank.example", kinds=["bank"])
    trust(ES.issuer(), bank)
    refused(OTHER.mint(claims()))
    refused(OTHER.mint(claims(iss="https://id.bank.example")))
    assert verify(OTHER.mint(claims(iss="https://id.bank.example", actor="bank", tenant="b"))).kind == "bank"


def test_the_cognito_profile_takes_access_tokens_only(trust: Trust) -> None:
    minter = Minter.of("RS256")
    trust(minter.issuer(profile="cognito"))
    said = claims(aud=None, token_use="access")
    assert verify(minter.mint(said, typ=None)).tenant == "xiamen"
    refused(minter.mint(claims(aud=None, token_use="id"), typ=None))
    refused(minter.mint(claims(aud=None), typ=None))
    trust(minter.issuer())
    refused(minter.mint(said, typ=None))


@pytest.mark.parametrize(
    "jwks",
    [
        {"keys": [ES.jwk(use="enc")]},
        {"keys": [ES.jwk(alg="ES384")]},
        {"keys": [ES.jwk(kid=None)]},
        {"keys": [{"kty": "oct", "kid": "k1", "k": "c2VjcmV0"}]},
        {"keys": [ES.jwk(x="!")]},
        {"keys": []},
        {"keys": 5},
        {"keys": [5, None]},
        {},
    ],
)
def test_a_key_that_may_not_sign_verifies_nothing(trust: Trust, jwks: dict[str, Any]) -> None:
    trust(ES.issuer(jwks=jwks))
    refused(ES.mint())
    refused(hmac_signed(b"secret", claims()))


def test_one_unusable_key_does_not_spoil_the_others(trust: Trust) -> None:
    trust(ES.issuer(jwks={"keys": [{"kty": "oct", "kid": "k1", "k": "AA"}, 5, OTHER.jwk(kid="k2"), ES.jwk()]}))
    assert verify(ES.mint())


def test_an_issuer_of_symmetric_keys_is_a_broken_configuration(trust: Trust) -> None:
    trust(ES.issuer(alg="HS256"))
    with pytest.raises(AssertionError):
        verify(ES.mint())


def live_until(trust: Trust, **said: Any) -> datetime | None:
    trust(ES.issuer())
    return verify(ES.mint(claims(**said))).live_until


def test_a_face_check_counts_for_five_minutes(trust: Trust) -> None:
    assert live_until(trust, amr=["pwd", "face"], auth_time=AT - 60) == datetime.fromtimestamp(AT + 240, UTC)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"amr": ["pwd"], "auth_time": AT},
        {"amr": "face", "auth_time": AT},
        {"amr": ["face"]},
        {"amr": ["face"], "auth_time": str(AT)},
        {"amr": ["face"], "auth_time": True},
        {"amr": ["face"], "auth_time": AT + 1},
        {"amr": ["face"], "auth_time": 10**20},
        {"amr": ["face"], "auth_time": -(10**20)},
    ],
)
def test_no_face_check_that_cannot_have_been(trust: Trust, said: dict[str, Any]) -> None:
    assert live_until(trust, **said) is None
