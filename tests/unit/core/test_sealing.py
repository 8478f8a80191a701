"""Cursors, pairwise ids and keys: what one party was given is of no use to another."""

from __future__ import annotations

import base64

import pytest

from chalicelib.core import ids, keys
from chalicelib.core.cursor import CursorInvalid, make_cursor, open_cursor, seal, unseal

PERSON = "xiamen/kq3v7"


def test_a_cursor_opens_where_it_was_made() -> None:
    text = make_cursor({"after": "hangzhou"}, "cities")
    assert open_cursor(text, "cities") == {"after": "hangzhou"}
    assert open_cursor(make_cursor(["a7"], "agreements:xiamen:active"), "agreements:xiamen:active") == ["a7"]
    assert open_cursor(None, "cities") is None
    assert make_cursor(None, "cities") is None


def test_MINIMAL_a_cursor_shows_nothing_and_is_never_the_same_twice() -> None:
    first, second = (seal(PERSON, "x") for _ in range(2))
    assert first != second
    for text in (first, second):
        assert b"kq3v7" not in base64.urlsafe_b64decode(text + "==")


@pytest.mark.parametrize(
    "purpose",
    ["looks:bank:xiamen/egret-bank", "looks:city:xiamen", "agreements:hangzhou", "agreements:xiamen:active", ""],
    ids=["another caller", "another kind", "another owner", "another filter", "no purpose"],
)
def test_a_cursor_opens_nowhere_else(purpose: str) -> None:
    text = make_cursor("a7", "agreements:xiamen")
    with pytest.raises(CursorInvalid):
        open_cursor(text, purpose)


def test_a_sealed_value_is_no_cursor_and_a_cursor_no_pass() -> None:
    with pytest.raises(CursorInvalid):
        open_cursor(seal("a7", "pass"), "pass")
    assert unseal(str(make_cursor("a7", "pass")), "pass") is None


@pytest.mark.parametrize("text", ["", "A", "AAAA", "A" * 40, "é" * 20, "=" * 8, "\n", "A" * 16 + "=="])
def test_what_was_never_sealed_does_not_open(text: str) -> None:
    with pytest.raises(CursorInvalid):
        open_cursor(text, "cities")


def test_one_sealed_value_has_one_text() -> None:
    for size in range(1, 4):
        text = seal("x" * size, "p")
        for other in (text + "=", text + "==", text + "\n", " " + text, text[:-1]):
            assert unseal(other, "p") is None
        tails = [text[:-1] + last for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"]
        assert [unseal(tail, "p") for tail in tails].count(None) == 63


def test_a_person_has_one_id_per_sector() -> None:
    bank, city = "bank:xiamen/egret-bank", "city:xiamen"
    assert ids.pairwise(bank, PERSON) == ids.pairwise(bank, PERSON) != ids.pairwise(city, PERSON)
    assert ids.open_pairwise(bank, ids.pairwise(bank, PERSON)) == PERSON
    assert ids.open_pairwise(city, ids.pairwise(bank, PERSON)) is None


@pytest.mark.parametrize("text", ["", "p1_", "p1_a", "p1_" + "a" * 40, "p2_" + "a" * 48, "p1_é", "p1_" + "1" * 40])
def test_an_invented_id_opens_nowhere(text: str) -> None:
    assert ids.open_pairwise("city:xiamen", text) is None


def test_one_id_has_one_text() -> None:
    text = ids.pairwise("city:xiamen", PERSON)
    for other in (text.upper(), text.replace("p1_", "P1_"), text + "=", text + "a", text.removeprefix("p1_")):
        assert ids.open_pairwise("city:xiamen", other) is None
    assert ids.open_pairwise("city:xiamen", "p1_" + text.removeprefix("p1_").upper()) is None


@pytest.mark.parametrize(
    "text", ["MVTXEZLU", "mvtxezlu=", "mvtxezl", "m0txezlu", "mz", "é", "-vtxezlu", "-7", " vtxezlu", "m_txezlu", "a"]
)
def test_base32_is_read_in_one_form_only(text: str) -> None:
    assert ids.decode(ids.encode(b"egret")) == b"egret"
    with pytest.raises(ValueError):
        ids.decode(text)


def test_fresh_ids_do_not_repeat() -> None:
    assert len({ids.new("a") for _ in range(1000)}) == 1000
    assert len(ids.new("a")) == 28


def test_every_use_has_a_key_of_its_own() -> None:
    labels = ["seal", "effect", "pairwise/1", "pairwise/2", ""]
    assert len({keys.derived(label) for label in labels}) == len(labels)
    assert len(keys.derived("pairwise/1", 64)) == 64
    assert keys.derived("seal", 32) == keys.derived("seal", 64)[:32]


def test_the_identity_index_has_a_key_apart() -> None:
    digest = keys.index_mac(b"doc:id:CN:1")
    assert len(digest) == 32
    assert digest not in {keys.mac(label, b"doc:id:CN:1") for label in ("", "index", "seal", "effect")}
