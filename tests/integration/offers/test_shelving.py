"""Offers over HTTP: written by authors, reviewed by others, released by whoever may, and by nobody else."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import clock
from chalicelib.core.text import Text
from chalicelib.offers.rules import Product, Share
from tests.conftest import ISSUER
from tests.integration.offers.counter import AUTHOR, CLERK, DECIDING, OFFERS, REVIEWER, SELLER, Desk, body_of
from tests.unit.offers.shop import BY_GRADE, TEA, percent
from tests.world import BANK, FARM, XIAMEN, World

REVIEW = "/v1/cities/xiamen/review"
DAY = timedelta(days=1)
STAFF = ("qingliu-author", "qingliu-operator", "rui", "cai")


@pytest.fixture(scope="module")
def desk(world: World) -> Desk:
    return Desk(world)


def test_the_whole_way_from_a_draft_to_the_end(desk: Desk) -> None:
    made = desk.offer(show_stock=True)
    drafted = desk.draft(made)
    assert (drafted.status, drafted.body["version"], drafted.body["state"]) == (201, 1, "draft")
    assert (drafted.body["findings"], drafted.body["content"], drafted.body["table_version"]) == ([], None, 1)
    states = []
    for move in ("submit", "return", "submit", "withdraw", "submit", "approve", "schedule", "pause", "resume", "end"):
        moved = desk.move(made, 1, move)
        assert moved.status == 200, moved.text
        states.append(moved.body["state"])
    assert states == ["review", "draft", "review", "draft", "review", "approved", "live", "paused", "live", "ended"]
    assert moved.body["said"] == {"zh": "已结束", "en": "ended"}


def test_the_version_its_number_its_city_and_its_zone_are_not_the_authors_to_choose(desk: Desk) -> None:
    made = desk.offer()
    chosen = {"version": 7, "city_id": "hangzhou", "merchant_id": "zogang-coop", "time_zone": "UTC"}
    for name, value in chosen.items():
        assert desk.world.post(OFFERS, AUTHOR, body_of(made) | {name: value}).code == "invalid-request"
    version = desk.drafted(made)
    content = desk.read(made, version)["content"]
    assert (content["version"], content["city_id"], content["time_zone"]) == (1, "xiamen", "Asia/Shanghai")


def test_a_draft_may_be_wrong_in_its_city_and_is_told_everything(desk: Desk) -> None:
    wrong = desk.offer(category="books", districts=("atlantis",), tiers=percent({"良好": 1000, "AAA": 2000}))
    drafted = desk.draft(wrong)
    found = [(item["code"], item["pointer"]) for item in drafted.body["findings"]]
    assert found == [("use-mismatch", "/category"), ("district-unknown", "/districts/0")]
    refused = desk.move(wrong, 1, "submit")
    assert (refused.status, refused.code) == (422, "offer-lint-refused")
    assert refused.pointers == ["/category", "/districts/0"]
    assert [item["code"] for item in desk.read(wrong, 1)["findings"]] == ["use-mismatch", "district-unknown"]


def test_REWARD_a_table_in_which_a_better_grade_pays_more_never_gets_to_review(desk: Desk) -> None:
    cruel = desk.offer(tiers=percent(BY_GRADE | {"优秀": 800}))
    assert desk.drafted(cruel) == 1
    refused = desk.move(cruel, 1, "submit")
    assert "“优秀”买“清流嵩溪豆腐皮 250 克”付 33.12 元，比“良好”的 32.40 元还多" in refused.text


@pytest.mark.parametrize(
    ("scenario_id", "codes"), [("no-such", ["scenario-unknown"]), ("library", ["recipient-missing", "use-mismatch"])]
)
def test_a_scenario_must_be_the_citys_and_open_to_merchants(desk: Desk, scenario_id: str, codes: list[str]) -> None:
    drafted = desk.draft(desk.offer(scenario_id=scenario_id))
    assert [item["code"] for item in drafted.body["findings"] if item["severity"] == "error"] == codes


@pytest.mark.parametrize(("bank", "codes"), [("demo-bank", []), ("demo-hospital", ["bank-unknown"])])
def test_a_bank_that_bears_a_share_is_one_of_the_citys(desk: Desk, bank: str, codes: list[str]) -> None:
    shared = desk.offer(funding=(Share("merchant", 5000), Share("bank", 5000, bank)))
    assert [item["code"] for item in desk.draft(shared).body["findings"]] == codes


VARIANT = ("products", 0, "variants", 0)
BAD: list[tuple[tuple[Any, ...], Any]] = [
    ((*VARIANT, "price_fen"), -1), ((*VARIANT, "price_fen"), 0), ((*VARIANT, "price_fen"), 10**9 + 1),
    ((*VARIANT, "price_fen"), 10**30), ((*VARIANT, "price_fen"), 36.5), ((*VARIANT, "price_fen"), 3600.0),
    ((*VARIANT, "price_fen"), True), ((*VARIANT, "price_fen"), "3600"), ((*VARIANT, "price_fen"), None),
    ((*VARIANT, "stock"), -1), ((*VARIANT, "stock"), False), (("tiers", 0, "discount_bp"), 10_000),
    (("tiers", 0, "discount_bp"), True), (("budget_fen",), 0), (("quota",), {"day": 0}), (("category",), "weapons"),
    (("valid_from",), "2026-02-30T00:00:00Z"), (("reservation_seconds",), 1), (("undeclared",), 1),
    (("title",), {"zh": "好\u202e茶", "en": "x"}),
]  # fmt: skip


@pytest.mark.parametrize(("place", "value"), BAD)
def test_what_is_no_amount_or_no_date_is_refused_and_not_repeated(
    desk: Desk, place: tuple[Any, ...], value: Any
) -> None:
    body = json.loads(json.dumps(body_of(desk.offer())))
    inner = body
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    with desk.world.nothing_written():
        refused = desk.world.post(OFFERS, AUTHOR, body)
    assert refused.code in {"invalid-request", "malformed-request"}, refused.text
    assert len(str(value)) < 3 or str(value) not in refused.body["detail"] + refused.body["detail_zh"]


def test_a_draft_that_contradicts_itself_is_refused_with_every_place(desk: Desk) -> None:
    now = clock.now()
    refused = desk.draft(desk.offer(valid_from=now, valid_to=now - DAY, funding=(Share("merchant", 9999),)))
    assert (refused.status, refused.code) == (422, "offer-invalid")
    assert refused.pointers == ["/valid_to", "/funding"]
    for word in ("import", "export"):
        assert desk.draft(desk.offer(offer_id=word)).code == "offer-invalid"


def test_a_draft_is_changed_by_whoever_has_seen_it(desk: Desk) -> None:
    made = desk.offer()
    first = desk.draft(made)
    cheaper = replace(made, products=(Product("tea", TEA.name, (replace(TEA, price_fen=8000),)),))
    changed = desk.edit(cheaper, 1, if_match=first.headers["etag"])
    assert (changed.status, changed.body["revision"]) == (200, 2)
    assert desk.read(made, 1)["content"]["products"][0]["variants"][0]["price_fen"] == 8000
    for other in (first.headers["etag"], '"0123456789abcdef0123"'):
        assert desk.edit(made, 1, if_match=other).code == "stale-version"
    again = desk.edit(cheaper, 1, if_match=first.headers["etag"])
    assert (again.status, again.replayed, again.text) == (200, True, changed.text)
    assert desk.edit(made, 1, if_match=changed.headers["etag"]).status == 200


def test_only_a_draft_is_changed(desk: Desk) -> None:
    made = desk.offer()
    desk.drafted(made)
    desk.moved(made, 1, "submit")
    assert desk.edit(made, 1).code == "offer-state"
    assert desk.edit(made, 2, if_match='"x"').code == "not-found"
    assert desk.draft(made).code == "offer-state"


def test_the_next_version_is_drafted_while_the_last_is_live(desk: Desk) -> None:
    made = desk.offer()
    desk.shelved(made)
    assert desk.drafted(replace(made, title=Text("新的", "New"))) == 2
    (listed,) = (one for one in desk.world.get(OFFERS, AUTHOR)["items"] if one["offer_id"] == made.offer_id)
    assert (listed["latest"], listed["in_force"], listed["title"]["en"]) == (2, 1, "New")
    assert [(one["version"], one["state"], one["said"]["zh"]) for one in listed["versions"]] == [
        (1, "live", "进行中"), (2, "draft", "草稿"),
    ]  # fmt: skip


MAY_NOT = [
    ("submit", SELLER), ("submit", REVIEWER), ("approve", AUTHOR), ("approve", SELLER), ("return", CLERK + "x"),
    ("stop", AUTHOR), ("lift", SELLER), ("withdraw", SELLER), ("schedule", REVIEWER), ("end", REVIEWER),
    ("submit", "merchant:qingliu-farm/somebody"), ("pause", "merchant:qingliu-farm"), ("end", FARM),
]  # fmt: skip


@pytest.mark.parametrize(("move", "actor"), MAY_NOT)
def test_a_move_is_somebodys_and_nobody_elses(desk: Desk, move: str, actor: str) -> None:
    made = desk.offer()
    desk.drafted(made)
    with desk.world.nothing_written():
        refused = move_as(desk, made.offer_id, move, actor)
    assert (refused.status, refused.code) == (403, "offer-move-forbidden")


def move_as(desk: Desk, offer_id: str, move: str, actor: str) -> Any:
    """As this actor; a city's clerk has no role of a reviewer."""
    token = ""
    if actor.endswith("caix"):
        token = ISSUER.token("city", "xiamen", "xiamen", sub="cai", roles=["operator"], now=clock.now())
    body = {"move": move} | ({"digest": "0" * 64} if move in DECIDING else {})
    return desk.world.post(f"{OFFERS}/{offer_id}/versions/1/moves", actor, body, token=token)


def test_only_an_author_drafts_edits_and_imports(desk: Desk) -> None:
    made = desk.offer()
    desk.drafted(made)
    assert desk.draft(desk.offer(), SELLER).code == "offer-move-forbidden"
    tag = desk.world.send("GET", f"{OFFERS}/{made.offer_id}/versions/1", AUTHOR).headers["etag"]
    assert desk.edit(made, 1, SELLER, if_match=tag).code == "offer-move-forbidden"
    assert desk.draft(desk.offer(), XIAMEN).code == "forbidden"


@pytest.mark.parametrize("author", ["qingliu-author", "second-author"])
def test_nobody_approves_what_he_wrote(desk: Desk, author: str) -> None:
    """Also where the city has given the same person the role of a reviewer."""
    staff = [{"sub": one, "roles": ["author"]} for one in ("qingliu-author", "second-author")]
    with_staff(desk.world, staff)
    made = desk.offer()
    desk.drafted(made)
    assert desk.edit(made, 1, "merchant:qingliu-farm/second-author").status == 200
    desk.moved(made, 1, "submit")
    himself = desk.move(made, 1, "approve", f"city:xiamen/{author}")
    assert (himself.status, himself.code) == (403, "approval-by-author")
    assert desk.move(made, 1, "approve", "city:xiamen/another").status == 200


def with_staff(world: World, staff: list[dict[str, Any]]) -> None:
    """The farm's staff, besides its operator."""
    path = "/v1/cities/xiamen/partners/qingliu-farm"
    seen = world.send("GET", path, XIAMEN)
    operator = {"sub": "qingliu-operator", "roles": ["operator"]}
    body = {"name": seen.body["name"], "staff": [*staff, operator], "status": "active"}
    assert world.send("PUT", path, XIAMEN, body, if_match=seen.headers["etag"]).status == 200


def test_who_wrote_and_who_approved_is_told_to_nobody(desk: Desk) -> None:
    made = desk.offer()
    desk.shelved(made)
    desk.drafted(replace(made, title=Text("再", "Again")))
    desk.moved(made, 2, "submit")
    told = [answer.text for answer in desk.world.client.seen if "/offers" in answer.path or "review" in answer.path]
    for path in (OFFERS, REVIEW, f"{OFFERS}/{made.offer_id}/versions/1", f"{OFFERS}/{made.offer_id}"):
        told.append(desk.world.send("GET", path, REVIEWER if path == REVIEW else AUTHOR).text)
    assert len(told) > 20
    for person in STAFF:
        assert not [text for text in told if person in text]


def test_the_review_queue_shows_what_waits_and_since_when(own_world: World) -> None:
    desk = Desk(own_world)
    made = [desk.offer(title=Text(f"第 {n}", f"Number {n}")) for n in range(3)]
    for offer in made:
        desk.drafted(offer)
    times = [desk.moved(offer, 1, "submit").body["changed_at"] for offer in reversed(made)]
    waiting, first = queue(own_world, {offer.offer_id for offer in made})
    assert [one["title"]["en"] for one in waiting] == ["Number 2", "Number 1", "Number 0"]
    assert [one["waits_since"] for one in waiting] == times
    assert waiting[0]["merchant"] == {"zh": "清流县供销农产", "en": "Qingliu Farm Produce"}
    desk.moved(made[1], 1, "approve")
    desk.moved(made[2], 1, "withdraw")
    waiting, _ = queue(own_world, {offer.offer_id for offer in made})
    assert [one["offer_id"] for one in waiting] == [made[0].offer_id]
    assert own_world.get("/v1/cities/hangzhou/review", "city:hangzhou") == {"items": [], "next": None}
    foreign = own_world.send("GET", f"/v1/cities/hangzhou/review?cursor={first}", "city:hangzhou")
    assert foreign.code == "cursor-invalid"


def queue(world: World, offer_ids: set[str]) -> tuple[list[Any], str]:
    """What waits of these offers, page by page, and the cursor of the second page."""
    seen: list[Any] = []
    cursors: list[str] = []
    while not cursors or cursors[-1] is not None:
        found = world.get(f"{REVIEW}?limit=1{f'&cursor={cursors[-1]}' if cursors else ''}", REVIEWER)
        seen += [item for item in found["items"] if item["offer_id"] in offer_ids]
        cursors.append(found["next"])
    return seen, cursors[0]


@pytest.mark.parametrize(
    ("path", "actor"),
    [
        (OFFERS, "merchant:zogang-coop"),
        (OFFERS, "city:hangzhou"),
        (f"{OFFERS}/any/versions/1", "merchant:pengyang-coop"),
        (f"{OFFERS}/nothing/versions/1", AUTHOR),
        (f"{OFFERS}/any/versions/1", REVIEWER),
        (f"{OFFERS}/any/versions/one", AUTHOR),
        (f"{OFFERS}/any/versions/9999999", AUTHOR),
        (REVIEW, "city:hangzhou"),
    ],
)
def test_what_is_anothers_or_nobodys_is_not_there(world: World, path: str, actor: str) -> None:
    assert world.send("GET", path, actor).code == "not-found"


def test_a_partner_that_is_no_merchant_has_no_offers(desk: Desk) -> None:
    body = body_of(desk.offer())
    token = ISSUER.token("merchant", "demo-bank", "xiamen", now=clock.now())
    path = "/v1/cities/xiamen/merchants/demo-bank/offers"
    assert desk.world.post(path, "", body, token=token).code == "not-found"
    assert desk.world.post(path, BANK, body).code == "forbidden"


@pytest.mark.parametrize("suspended", ["partner", "city"])
def test_who_is_suspended_may_only_take_something_off_the_shelf(own_world: World, suspended: str) -> None:
    desk = Desk(own_world)
    drafted, live, stopped = desk.offer(), desk.offer(), desk.offer()
    desk.drafted(drafted)
    for offer in (live, stopped):
        desk.shelved(offer)
    if suspended == "city":
        own_world.suspend_city("xiamen")
    else:
        own_world.suspend_partner("qingliu-farm")
    code = f"{suspended}-suspended"
    assert desk.draft(desk.offer()).code == code
    assert desk.edit(drafted, 1).code == code
    assert desk.move(drafted, 1, "submit").code == code
    desk.moved(live, 1, "pause")
    assert desk.move(live, 1, "resume").code == code
    desk.moved(live, 1, "end")
    desk.moved(stopped, 1, "stop")
    assert desk.move(stopped, 1, "lift").code == code


def test_ONCE_a_move_again_is_the_same_move(desk: Desk) -> None:
    made = desk.offer()
    desk.drafted(made)
    first = desk.move(made, 1, "submit", key="submit-it-once")
    again = desk.move(made, 1, "submit", key="submit-it-once")
    assert (again.replayed, again.text) == (True, first.text)
    assert desk.move(made, 1, "withdraw", key="submit-it-once").code == "idempotency-key-reused"
    assert desk.move(made, 1, "submit").code == "offer-state"


def test_a_dry_run_says_what_would_be_and_does_nothing(desk: Desk) -> None:
    made = desk.offer()
    with desk.world.nothing_written():
        tried = desk.draft(made, query="?dry_run=true", key="tried-first")
    assert (tried.status, tried.headers["egret-dry-run"], tried.body["version"]) == (200, "true", 1)
    assert desk.draft(made, key="tried-first").status == 201
    with desk.world.nothing_written():
        assert desk.edit(replace(made, category="grain"), 1, query="?dry_run=true").body["revision"] == 2
        assert desk.move(made, 1, "submit", query="?dry_run=true").body["state"] == "review"
    assert desk.read(made, 1)["state"] == "draft"
    for move in ("submit", "approve", "schedule"):
        with desk.world.nothing_written():
            tried = desk.move(made, 1, move, query="?dry_run=true")
        assert tried.body["said"] == desk.move(made, 1, move).body["said"]


def test_an_etag_changes_with_the_clock_too(desk: Desk) -> None:
    made = desk.offer(valid_from=clock.now().replace(microsecond=0) + DAY)
    desk.shelved(made)
    path = f"{OFFERS}/{made.offer_id}/versions/1"
    before = desk.world.send("GET", path, AUTHOR)
    assert before.body["state"] == "scheduled"
    with clock.fixed(made.valid_from):
        after = desk.world.send("GET", path, AUTHOR)
    assert (after.body["state"], after.headers["etag"] == before.headers["etag"]) == ("live", False)


@pytest.mark.parametrize("page", [1, 2, 50])
def test_a_merchants_list_has_every_offer_once(own_world: World, page: int) -> None:
    desk = Desk(own_world)
    author, path = "merchant:zogang-coop/zogang-author", OFFERS.replace("qingliu-farm", "zogang-coop")
    for number in range(3):
        desk.draft(desk.offer(offer_id=f"list-{number}", merchant_id="zogang-coop"), author)
    desk.drafted(desk.offer())
    seen: list[str] = []
    after = ""
    while after is not None:
        found = own_world.get(f"{path}?limit={page}{after and '&cursor=' + after}", author)
        seen += [item["offer_id"] for item in found["items"]]
        after = found["next"]
    assert seen == ["list-0", "list-1", "list-2"]
