"""REPLAY: an auditor works the limit of a pull, an opening or a hold out again, whatever has changed since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.core import clock, effect, table
from chalicelib.core.commit import Unit
from chalicelib.core.effect import Effect
from chalicelib.medical import store
from tests.in_process import Answer
from tests.integration.medical.calendar import Calendar
from tests.integration.medical.clinic import Clinic
from tests.integration.medical.panel import Panel
from tests.integration.medical.reception import Reception
from tests.world import AUDITOR, BANK, HOSPITAL, LIBRARY, World


@pytest.fixture(scope="module")
def panel(clinic: Clinic) -> Panel:
    return Panel(clinic)


def replay(panel: Panel, effect_id: str, actor: str = AUDITOR) -> Answer:
    return panel.world.post(f"/v1/credit-receipts/{effect_id}/replay", actor)


@pytest.mark.parametrize(("score", "city"), [(693, "xiamen"), (705, "hangzhou"), (None, "xiamen"), (525, "xiamen")])
def test_REPLAY_every_limit_that_was_worked_out_comes_out_again(
    panel: Panel, own_world: World, score: int | None, city: str
) -> None:
    clinic = panel.clinic
    who = clinic.patient(score, city)
    granted = clinic.pull(who).body["granted_fen"]
    purposes = ["pull-limit"]
    if score is not None:
        clinic.open(who)
        clinic.held(who, 1_000)
        clinic.move(who, "relimit")
        purposes += ["open-line", "hold", "relimit-line"]
    panel.asked(who)
    effects = [panel.look(who, purpose) for purpose in (*purposes, "ask-review")]
    own_world.rescore(who, 990)
    clinic.in_force(clinic.policy(version=2, ceiling_fen=60_000))
    for effect_id in effects:
        told = replay(panel, effect_id).body
        assert (told["same"], told["limit_fen"], told["policy_version"]) == (True, granted, 1), told["purpose"]
        assert (told["basis"]["score"], told["bank_id"]) == (score, "demo-bank")
        assert told["decision"]["sha256"] == told["stored_sha256"]
    assert panel.looks(who)[: len(effects)] == ["replay"] * len(effects)


def test_REPLAY_each_of_a_batch_by_its_own_effect(panel: Panel) -> None:
    clinic = panel.clinic
    unwilling = clinic.patient(granted=(HOSPITAL,))
    people = [unwilling, *(clinic.patient(score) for score in (693, 525, 587))]
    ids = [clinic.world.known_to(BANK, who) for who in people]
    items = clinic.post("/v1/credit-limits/batch", BANK, {"subject_ids": ids}).body["items"]
    for position, who in enumerate(people[1:], 1):
        effect_id = panel.look(who, "pull-limit")
        assert effect_id.endswith(f"~{position}") == (position > 1)
        told = replay(panel, effect_id).body
        assert (told["same"], told["limit_fen"]) == (True, items[position]["limit"]["granted_fen"])


def test_REPLAY_the_hold_of_a_visit_and_what_a_new_score_made_of_a_line(panel: Panel) -> None:
    clinic, calendar = panel.clinic, Calendar(panel.clinic)
    who = clinic.insured(693)
    Reception(clinic).opened(who, 1_000)
    calendar.world.rescore(who, 612)
    calendar.pump.drain()
    for purpose, score, limit_fen in (("hold", 693, 300_000), ("regrade-line", 612, 150_000)):
        told = replay(panel, panel.look(who, purpose)).body
        assert (told["same"], told["basis"]["score"], told["limit_fen"]) == (True, score, limit_fen)
        assert panel.ask(who, panel.look(who, purpose)).body["contested"]["limit_fen"] == limit_fen


def test_REPLAY_says_so_where_it_does_not_come_out_again(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    clinic = panel.clinic
    who = clinic.patient(560)
    granted = clinic.pull(who).body["granted_fen"]
    effect_id, load = panel.look(who, "pull-limit"), effect.load

    def changed(name: str, text: str, other: str) -> Callable[[str], Effect]:
        def loaded(wanted: str) -> Effect:
            stored = load(wanted)
            assert text in getattr(stored, name)
            return replace(stored, **{name: getattr(stored, name).replace(text, other)})

        return loaded

    for name, text, other in (
        ("reply", f'"granted_fen":{granted}', '"granted_fen":1'),
        ("facts", '"score":560', '"score":561'),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(effect, "load", changed(name, text, other))
            assert replay(panel, effect_id).body["same"] is False, name
    assert replay(panel, effect_id).body["same"] is True


def test_REPLAY_notices_a_policy_that_was_written_anew_whatever_was_decided_by_it(
    panel: Panel, own_world: World
) -> None:
    clinic, calendar = panel.clinic, Calendar(panel.clinic)
    who = clinic.patient(693)
    clinic.pull(who)
    clinic.open(who)
    clinic.held(who, 1_000)
    clinic.move(who, "relimit")
    calendar.world.rescore(who, 705)
    calendar.world.rescore(who, 612)
    calendar.pump.drain()
    panel.asked(who)
    purposes = ("pull-limit", "open-line", "hold", "relimit-line", "regrade-line", "ask-review")
    effects = [panel.look(who, purpose) for purpose in purposes]
    assert all(replay(panel, effect_id).body["same"] for effect_id in effects)
    clinic.in_force(clinic.policy(hold_days=3))
    told = [replay(panel, effect_id).body for effect_id in effects]
    assert [one["same"] for one in told] == [False] * len(effects), "the limits are the same, the terms are not"
    assert all(one["decision"]["sha256"] == one["stored_sha256"] for one in told)


def test_REPLAY_a_version_whose_end_another_has_cut_is_the_same_still(panel: Panel, own_world: World) -> None:
    clinic = panel.clinic
    clinic.in_force(clinic.policy())
    who = clinic.patient(693)
    key = store.head_key("xiamen", "demo-bank")
    head = store.head_in(table.fetch([key]), "xiamen", "demo-bank")
    assert head is not None
    ends = replace(head.versions[1], valid_to=(clock.now() + timedelta(days=9)).date())
    unit = Unit()
    store.save_head(unit, replace(head, versions={1: ends}))
    unit.commit()
    clinic.pull(who)
    assert replay(panel, panel.look(who, "pull-limit")).body["same"] is True


def test_what_keeps_no_limit_is_absent(panel: Panel, own_world: World) -> None:
    clinic = panel.clinic
    who = clinic.insured()
    own_world.grant(who, LIBRARY, "library")
    own_world.decide(LIBRARY, who, "library")
    hold_id = clinic.held(who, 1_000)
    clinic.capture(hold_id, 1_000)
    clinic.move(who, "suspend")
    ids = [panel.look(who, purpose) for purpose in ("decide", "grant-consent", "capture", "suspend-line")]
    for effect_id in (*ids, "xiamen." + "a" * 26, "x", ids[0] + "~1"):
        assert replay(panel, effect_id).code == "not-found"
    for actor in (BANK, HOSPITAL, "city:xiamen", f"citizen:{who}"):
        assert replay(panel, panel.look(who, "open-line"), actor).code == "forbidden"
