"""The ids by which institutions know a person, and who can make anything of them."""

from __future__ import annotations

import re
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.core.auth import PARTNER_KINDS, ActorKind, Caller
from chalicelib.core.errors import NotFound
from chalicelib.subjects.rules import AccountRef, ConsentRequired
from chalicelib.subjects.service import known_as, resolve

CITIES = st.from_regex(r"[a-z][a-z0-9-]{1,23}", fullmatch=True)
PERSONS = st.from_regex(r"s_[a-z2-7]{26}", fullmatch=True)
REFS = st.builds(AccountRef, CITIES, PERSONS)


def caller(kind: str, city_id: str, tenant: str) -> Caller:
    return Caller(cast("ActorKind", kind), city_id, tenant, frozenset(), frozenset(), tenant)


PARTNERS = st.builds(caller, st.sampled_from(PARTNER_KINDS), CITIES, CITIES)
CALLERS = PARTNERS | CITIES.map(lambda city_id: caller("city", city_id, city_id))


@given(CALLERS, REFS)
@settings(max_examples=100)
def test_a_caller_gets_back_the_person_he_was_told_of(who: Caller, ref: AccountRef) -> None:
    subject_id = known_as(who.sector, ref)
    assert known_as(who.sector, ref) == subject_id
    assert resolve(who, subject_id) == ref


@given(CALLERS, CALLERS, REFS)
@settings(max_examples=100)
def test_MINIMAL_another_callers_id_says_nothing(who: Caller, other: Caller, ref: AccountRef) -> None:
    subject_id = known_as(who.sector, ref)
    assert ref.person_id not in subject_id
    assert re.fullmatch(r"p1_[a-z2-7]+", subject_id)
    if who.sector != other.sector:
        assert known_as(other.sector, ref) != subject_id
        with pytest.raises(ConsentRequired):
            resolve(other, subject_id)


@given(REFS, st.integers(3, 80), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
@settings(max_examples=100)
def test_a_changed_id_is_refused_as_a_foreign_one_is(ref: AccountRef, place: int, letter: str) -> None:
    who = caller("merchant", "xiamen", "qingliu-farm")
    subject_id = known_as(who.sector, ref)
    changed = subject_id[:place] + letter + subject_id[place + 1 :]
    if changed != subject_id:
        with pytest.raises(NotFound):
            resolve(who, changed, NotFound)


@given(st.text(max_size=200))
@settings(max_examples=100)
def test_an_invented_id_is_refused(text: str) -> None:
    with pytest.raises(ConsentRequired):
        resolve(caller("city", "xiamen", "xiamen"), text)


def test_a_city_and_its_citizens_know_a_person_by_one_id_and_a_partner_by_another() -> None:
    ref = AccountRef("xiamen", "s_" + "a" * 26)
    subject_id = known_as("city:xiamen", ref)
    assert resolve(caller("citizen", "xiamen", subject_id), subject_id) == ref
    same_name = [caller(kind, "xiamen", "xiamen") for kind in PARTNER_KINDS]
    assert len({known_as(who.sector, ref) for who in same_name} | {subject_id}) == len(PARTNER_KINDS) + 1
