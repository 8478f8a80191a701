"""A receipt decides again to the same bytes, whatever has happened since; one that was tampered with does not."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from chalicelib.core import clock, effect, table
from chalicelib.core.codec import canonical
from infra.local.demo_data.tables import distribution, document
from tests.integration.linking.cities import publish_scale
from tests.integration.scenarios.test_deciding import suspend
from tests.integration.scenarios.test_publishing import table as next_table
from tests.integration.scenarios.test_standings import agree, end_agreement
from tests.world import AUDITOR, BANK, CHEWEI, FARM, LIBRARY, PARKING, Answer, World, days_ahead

PEOPLE = ("xm-693", "xm-612", "xm-525", "hz-705", "hz-760", "zz-130", "zz-100", "wx-750", "fz-700")


def some_receipts(world: World) -> dict[str, Answer]:
    """A receipt of every kind of standing, to institutions and to citizens."""
    nobody = world.newcomer("xiamen", None, (LIBRARY, "library"))
    given = {who: world.decide(PARKING, who, "roadside_parking", "haicang") for who in PEOPLE}
    given |= {f"{who}, for himself": world.ask_for_self(who, "i_chewei_parking") for who in PEOPLE}
    given["with a pass"] = world.decide(FARM, "hz-760", "jimei_produce", "jimei", by_pass=True)
    given["not known"] = world.decide(CHEWEI, "wx-750", "i_chewei_parking")
    given["without a score"] = world.decide(LIBRARY, nobody, "library")
    given["by a grade"] = world.decide(BANK, "fz-700", "credit_medical")
    given["no area"] = world.ask_for_self("xm-612", "bicycle", "jimei")
    assert {answer.status for answer in given.values()} == {200}
    return given


def relink(world: World) -> None:
    """Hangzhou publishes other figures, so that its scores mean something else in Xiamen."""
    body = distribution(document("cities.json")[1], clock.now().date())
    moved = [[score + 60, people] for score, people in body["counts"] if score + 60 <= 1000]
    body |= {"counts": moved, "n": sum(people for _, people in moved)}
    assert world.post("/v1/cities/hangzhou/distributions", "city:hangzhou", body).status == 201


def stricter(world: World) -> None:
    """Xiamen asks for more in Haicang."""
    moved = next_table("roadside_parking")
    for area in moved["areas"]:
        area["tiers"][0]["when"] = {"score": {"ge": 675}}
    assert world.post("/v1/cities/xiamen/scenarios", "city:xiamen", moved).status == 201


def rescore(world: World) -> None:
    """Everybody's score falls."""
    for who in PEOPLE:
        world.rescore(who, 90)


def part(world: World) -> None:
    """Agreements end; one is made anew on other terms."""
    for home in ("hangzhou", "fuzhou", "wuxi"):
        end_agreement(world, home)
    agree(world, "zhengzhou", method="concordance", grant_on="lower_bound")


def rescale(world: World) -> None:
    """Guest and host get new scales."""
    publish_scale(world, "hangzhou", {**document("cities.json")[1]["scale"], "maximum": 900})
    publish_scale(world, "xiamen", document("cities.json")[0]["scale"])


def shut(world: World) -> None:
    """A person, a partner and a city are suspended."""
    suspend(world, "hz-705")
    world.suspend_partner("haicang-parking")
    world.suspend_city("hangzhou")


CHANGES: list[Callable[[World], None]] = [rescore, relink, stricter, part, rescale, shut]


def test_REPLAY_every_receipt_whatever_has_happened_since(own_world: World) -> None:
    world = own_world
    given = some_receipts(world)
    for change in CHANGES:
        change(world)
        world.forget()
        world.check_receipts()
    for name, answer in given.items():
        replayed = world.replay(answer.body["receipt_id"])
        assert replayed["same"] is True, name
        assert replayed["decision"]["sha256"] == replayed["stored_sha256"]
        assert replayed["decision"]["tier_ids"] == answer.body["decision"]["tier_ids"]
        assert replayed["decided_at"] == answer.body["decided_at"]
    for who in PEOPLE:
        receipt = given[who].body["receipt_id"]
        mine = world.get(f"/v1/me/receipts/{receipt}", f"citizen:{who}")["decision"]
        assert mine["tier_ids"] == given[who].body["decision"]["tier_ids"]
    with clock.fixed(days_ahead(500)):
        assert world.replay(given["hz-705"].body["receipt_id"])["same"] is True


def test_REPLAY_the_changes_would_have_changed_the_decisions(own_world: World) -> None:
    world = own_world

    def now() -> str:
        return str(world.opening("hz-760", "roadside_parking", "haicang")["tier_ids"])

    before = now()
    relink(world)
    after_link = now()
    stricter(world)
    with clock.fixed(days_ahead(2)):
        assert len({before, after_link, now()}) == 3


def test_REPLAY_the_basis_says_what_was_applied(world: World) -> None:
    receipt = world.decide(LIBRARY, "hz-705", "library").body["receipt_id"]
    basis = world.replay(receipt)["basis"]
    assert (basis["home"], basis["score"], basis["home_scale_version"], basis["nothing"]) == ("hangzhou", 705, 1, None)
    recognised = basis["recognised"]
    assert (recognised["method"], recognised["grant_on"]) == ("concordance", "point")
    assert (recognised["home_concordance"], recognised["host_concordance"]) == (1, 1)


def test_REPLAY_the_auditors_look_is_listed_under_who_looked(world: World) -> None:
    receipt = world.decide(LIBRARY, "hz-705", "library").body["receipt_id"]
    world.replay(receipt)
    look, before = world.get("/v1/me/looks?limit=2", "citizen:hz-705")["items"]
    assert (look["actor"], look["purpose"], look["words"]["en"]) == (
        "auditor",
        "replay",
        "The auditor checked a decision about you again",
    )
    assert before["effect_id"] == receipt


def test_ONCE_a_replay_is_recorded_once(world: World) -> None:
    receipt = world.decide(LIBRARY, "hz-760", "library").body["receipt_id"]
    path = f"/v1/receipts/{receipt}/replay"
    first, again = (world.post(path, AUDITOR, key="replayed-once") for _ in range(2))
    assert (again.text, again.replayed) == (first.text, True)
    looks = world.get("/v1/me/looks", "citizen:hz-760")["items"]
    assert [look["purpose"] for look in looks[:2]] == ["replay", "decide:xiamen/library"]


def test_only_an_auditor_replays(world: World) -> None:
    receipt = world.decide(LIBRARY, "xm-612", "library").body["receipt_id"]
    for actor in (LIBRARY, BANK, FARM, "city:xiamen", "citizen:xm-612", "alliance:alliance"):
        assert world.post(f"/v1/receipts/{receipt}/replay", actor).code == "forbidden"
    token = world.client.issuer.token("auditor", "auditor", "alliance", scope="scores:read")
    assert world.send("POST", f"/v1/receipts/{receipt}/replay", "", token=token).code == "forbidden"


def better_score(row: effect.EffectRow) -> None:
    facts = json.loads(row.facts)
    facts["basis"]["score"] = 700
    row.facts = canonical(facts)


def other_table(row: effect.EffectRow) -> None:
    row.facts = row.facts.replace('"district":"haicang"', '"district":null')


def better_reply(row: effect.EffectRow) -> None:
    row.reply = row.reply.replace('"outcome":"refused"', '"outcome":"granted"')


def better_benefit(row: effect.EffectRow) -> None:
    row.reply = row.reply.replace('"free_minutes":15', '"free_minutes":99')


def another_asker(row: effect.EffectRow) -> None:
    row.tenant = "i-chewei"


def another_time(row: effect.EffectRow) -> None:
    row.at = "2026-01-01T00:00:00.000Z"


TAMPERED = [better_score, other_table, better_reply, better_benefit]


@pytest.mark.parametrize("tamper", [*TAMPERED, another_asker, another_time], ids=lambda tamper: tamper.__name__)
def test_REPLAY_a_changed_effect_is_detected(own_world: World, tamper: Callable[[effect.EffectRow], None]) -> None:
    receipt = own_world.decide(PARKING, "xm-525", "roadside_parking", "haicang").body["receipt_id"]
    before = rewritten(receipt, tamper)
    for answer in (
        own_world.post(f"/v1/receipts/{receipt}/replay", AUDITOR),
        own_world.send("GET", f"/v1/me/receipts/{receipt}", "citizen:xm-525"),
    ):
        assert (answer.status, answer.code) == (500, "internal-error")
        assert "525" not in answer.text
    before.save()


@pytest.mark.parametrize("tamper", TAMPERED, ids=lambda tamper: tamper.__name__)
def test_REPLAY_one_whose_hash_was_made_anew_is_not_the_same(
    own_world: World, tamper: Callable[[effect.EffectRow], None]
) -> None:
    receipt = own_world.decide(PARKING, "xm-525", "roadside_parking", "haicang").body["receipt_id"]
    before = rewritten(receipt, tamper, rehash=True)
    assert own_world.replay(receipt)["same"] is False
    before.save()


def rewritten(receipt: str, tamper: Callable[[effect.EffectRow], None], *, rehash: bool = False) -> effect.EffectRow:
    """The effect as it was; in the table it now is what an insider has made of it."""
    before, row = effect.find(receipt), effect.find(receipt)
    assert before is not None
    assert row is not None
    tamper(row)
    if rehash:
        row.content_hash = effect.content_hash(row)
    assert (row.facts, row.reply, row.tenant, row.at) != (before.facts, before.reply, before.tenant, before.at)
    row.save()
    return before


def test_REPLAY_a_process_that_has_nothing_in_memory(world: World) -> None:
    receipt = world.decide(LIBRARY, "zz-130", "library").body["receipt_id"]
    table.forget_connections()
    assert world.replay(receipt)["same"] is True
