"""The effect item: one id for one request, and no change to it goes unseen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.core import effect, ids, keys
from chalicelib.core.effect import EffectRow, Intent, intend
from chalicelib.core.errors import KeyReused

NOW = datetime(2026, 5, 1, 8, 30, 15, 123000, tzinfo=UTC)
ASKED = {
    "city_id": "xiamen",
    "actor": "bank",
    "tenant": "egret-bank",
    "verb": "POST /v1/decisions",
    "key": "key-00001",
    "body": {"b": 1, "a": [1, 2]},
}


def intent(**changes: Any) -> Intent:
    return intend(**{**ASKED, **changes})


@dataclass(frozen=True, slots=True)
class Outcome:
    tier: str
    price_fen: int


def row(**changes: Any) -> EffectRow:
    said: dict[str, Any] = {"purpose": "decide", "facts": {"z": 1, "a": 2}, "reply": Outcome("gold", 1980)}
    return effect.row(intent(), NOW, **{**said, **changes})


def test_ONCE_the_same_request_has_the_same_id_and_fingerprint() -> None:
    assert intent() == intent(body={"a": [1, 2], "b": 1})


@pytest.mark.parametrize(
    "change",
    [
        {"city_id": "hangzhou"},
        {"actor": "merchant"},
        {"tenant": "other-bank"},
        {"verb": "POST /v1/quotes"},
        {"key": "key-00002"},
        {"actor": "bank,xiamen", "city_id": "x"},
    ],
)
def test_another_caller_route_or_key_is_another_effect(change: dict[str, Any]) -> None:
    assert intent(**change).effect_id != intent().effect_id


@pytest.mark.parametrize("body", [{"b": 2, "a": [1, 2]}, {"b": 1, "a": [2, 1]}, {"b": "1", "a": [1, 2]}, None])
def test_ONCE_another_body_under_the_same_key_is_refused(body: Any) -> None:
    other = intent(body=body)
    assert other.effect_id == intent().effect_id
    with pytest.raises(KeyReused):
        effect.replay(row(), other)


def test_ONCE_the_stored_reply_comes_back_as_it_was() -> None:
    stored = effect.replay(row(), intent())
    assert stored.reply == '{"price_fen":1980,"tier":"gold"}'
    assert (stored.facts, stored.at, stored.purpose) == ('{"a":2,"z":1}', NOW, "decide")


def test_MINIMAL_an_id_shows_the_city_and_nothing_else() -> None:
    made = intent(tenant="p1_somebody", key="350203199001011234")
    assert made.effect_id.startswith("xiamen.")
    assert made.city_id == effect.city_of(made.effect_id) == "xiamen"
    assert len(made.effect_id.partition(".")[2]) == 26
    assert "3502" not in made.effect_id


def test_an_effect_lies_under_its_city_and_day() -> None:
    made = row(subject="xiamen#account#kq3v7")
    assert made.pk == f"xiamen#effect#{made.effect_id}"
    assert made.gsi1pk == "xiamen#account#kq3v7"
    assert made.gsi2pk == "xiamen#tenant#bank:egret-bank#2026-05-01"
    assert made.gsi1sk == made.gsi2sk == f"2026-05-01T08:30:15.123Z#{made.effect_id}"
    city, hour, bucket = made.audit_bucket.split("#")
    assert (city, hour) == ("xiamen", "2026-05-01T08")
    assert 0 <= int(bucket) < effect.AUDIT_BUCKETS


def test_an_effect_without_a_subject_is_in_nobodys_list() -> None:
    assert row().gsi1pk is None
    assert row().gsi1sk is None


@pytest.mark.parametrize(
    "field", ["effect_id", "verb", "actor", "tenant", "fingerprint", "at", "purpose", "facts", "reply", "content_hash"]
)
def test_an_item_that_was_changed_is_a_broken_belief(field: str) -> None:
    changed = row()
    setattr(changed, field, getattr(changed, field) + "x")
    with pytest.raises(AssertionError):
        effect.read(changed)


def test_texts_cannot_slide_from_one_field_into_the_next() -> None:
    moved = row()
    moved.actor, moved.tenant = moved.actor + moved.tenant[0], moved.tenant[1:]
    assert effect.content_hash(moved) != moved.content_hash


def test_the_audit_buckets_are_all_used() -> None:
    buckets = {row(facts={"n": n}).audit_bucket for n in range(300)}
    assert len(buckets) == effect.AUDIT_BUCKETS


def test_an_intent_is_a_value() -> None:
    assert replace(intent(), verb="x") != intent()


@pytest.mark.parametrize("change", range(5))
def test_ONCE_what_follows_by_itself_has_its_id_from_its_cause_alone(change: int) -> None:
    asked: list[Any] = ["xiamen", "bank", "egret-bank", "remind", ["xiamen/s_a", "7"]]
    first = effect.consequence(*asked)
    assert first == effect.consequence(*asked)
    assert first.effect_id.startswith("xiamen.")
    assert len(first.effect_id) == len(intent().effect_id)
    assert (first.fingerprint, first.by) == ("", "")
    asked[change] = ["xiamen/s_a", "8"] if change == 4 else "other"
    assert effect.consequence(*asked).effect_id != first.effect_id


def test_what_follows_by_itself_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> bytes:
        raise AssertionError("a key is asked for")

    monkeypatch.setattr(keys, "mac", never)
    monkeypatch.setattr(ids, "pairwise", never)
    made = effect.consequence("xiamen", "bank", "egret-bank", "remind", ["xiamen/s_a", "7"])
    stored = effect.row(made, NOW, purpose="remind-bill", facts={}, reply={}, subject="xiamen#account#s_a")
    assert effect.read(stored).tenant == "egret-bank"
