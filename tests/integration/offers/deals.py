"""Words for tests of deals: what a refusal says, that it has left no trace, and what happens to offers and people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from chalicelib.core import clock, effect
from chalicelib.core.commit import Unit
from chalicelib.offers import store
from chalicelib.offers.rules import TRANSITIONS, Actor, Move, Offer, heads
from chalicelib.offers.rules.deals import Deal
from chalicelib.offers.service.shelf import budget_key, stock_key
from chalicelib.subjects.store import AccountRow, account_key
from tests.in_process import Answer
from tests.integration.offers.market import Market, head_of
from tests.world import World

AUTHOR = Actor("merchant", "farm-author", frozenset({"author", "operator"}))
REVIEWER = Actor("city", "city-reviewer", frozenset({"reviewer"}))
SAID: Mapping[str, tuple[int, str, str]] = {
    "malformed-request": (400, "请求无法解析", "The request cannot be read"),
    "invalid-request": (422, "请求内容不符合格式", "The request does not fit its schema"),
    "not-found": (404, "没有找到", "Not found"),
    "quote-foreign": (404, "没有此试算", "There is no such quote here"),
    "quote-used": (409, "该试算已使用，请重新试算", "This quote was used before; please ask for a new one"),
    "quote-expired": (409, "该试算已过期，请重新试算", "This quote has expired; please ask for a new one"),
    "quote-overtaken": (
        409, "试算后情况已变更，请重新试算", "Something has changed since this quote; please ask for a new one",
    ),
    "quote-not-redeemed": (
        409, "该试算尚未核销，无可退款", "This quote was never redeemed, so nothing can be refunded",
    ),
    "reservation-closed": (
        409, "该预留已过期、已取消或已核销", "This reservation has expired, was given up or is redeemed",
    ),
    "refund-exceeds": (409, "退款数量超出尚可退的数量", "This is more than is left to be refunded"),
    "offer-unknown": (422, "没有此优惠", "There is no such offer"),
    "offer-stopped": (409, "该优惠已被城市停用", "This offer has been stopped by the city"),
    "offer-not-live": (409, "该优惠目前不可用", "This offer is not open at present"),
    "offer-out-of-step": (
        409, "应用场景的规则已变更，该优惠须重新审核",
        "The scenario's rules have changed; this offer must be reviewed again",
    ),
    "offer-not-reservable": (
        409, "该优惠不能预留，请直接核销", "This offer takes no reservations; redeem it at once",
    ),
    "variant-unknown": (422, "该优惠没有此规格的商品", "The offer has no such variant"),
    "basket-invalid": (422, "所选商品或数量有误", "The goods or quantities asked for are not well defined"),
    "district-not-covered": (409, "该优惠不适用于这个区", "This offer does not hold in this district"),
    "out-of-stock": (409, "库存不足", "There is not enough left of it"),
    "budget-exhausted": (409, "该优惠的资金已用完", "The money for this offer is used up"),
    "quota-exceeded": (409, "超出每人限购数量", "This is more than one person may have"),
    "pass-invalid": (403, "出示码无效", "This pass is not valid here"),
    "pass-expired": (403, "出示码已过期，请重新出示", "This pass has expired; please show a new one"),
    "pass-used": (409, "出示码已使用，请重新出示", "This pass was used before; please show a new one"),
    "consent-required": (
        403, "需要本人对该场景和接收方的有效授权",
        "A live consent of the person for this scenario and recipient is needed",
    ),
}  # fmt: skip


def check_refused(answer: Answer, code: str, zh: str = "", en: str = "") -> None:
    """The refusal has this code, its status, its title, and these words in detail: without any, the title's."""
    assert answer.status >= 400, answer.text
    status, title_zh, title = SAID[code]
    body = answer.body
    assert (body["code"], answer.status) == (code, status), answer.text
    assert (body["title_zh"], body["title"]) == (title_zh, title)
    assert (body["detail_zh"], body["detail"]) == (zh or title_zh, en or title)


def check_fault(answer: Answer, code: str, pointer: str, zh: str = "", en: str = "") -> None:
    """The refusal has this code, and names this one place and what is wrong there."""
    status, title_zh, title = SAID[code]
    (fault,) = answer.body["errors"]
    assert (answer.code, answer.status, fault["pointer"]) == (code, status, pointer), answer.text
    if zh or en:
        assert (fault["detail_zh"], fault["detail"]) == (zh, en)
    assert (answer.body["title_zh"], answer.body["title"]) == (title_zh, title)


@contextmanager
def nothing_stored(world: World) -> Iterator[None]:
    """What happens inside the block leaves every stored item as it was."""
    before = world.items()
    yield
    assert world.items() == before, "something was written"


def same_but_for_the_request(one: Answer, other: Answer) -> bool:
    """Whether two refusals are the same bytes, but for the id of the request."""
    stripped = [each.text.replace(each.body["request_id"], "") for each in (one, other)]
    headers = [{**each.headers, "content-length": ""} for each in (one, other)]
    return (one.status, stripped[0], headers[0]) == (other.status, stripped[1], headers[1])


def for_oneself(offer: Offer, asked: dict[str, Any]) -> dict[str, Any]:
    """The body by which a citizen asks for himself what a merchant would ask by a pass."""
    return {**asked, "city_id": offer.city_id, "merchant_id": offer.merchant_id}


def quote_self(market: Market, who: str, offer: Offer, units: int = 1, *, query: str = "", **more: Any) -> Answer:
    """A citizen asks what units of an offer cost him; ``query``: "?dry_run=true"."""
    body = for_oneself(offer, market.ask(offer, units, **more))
    return market.world.post(f"/v1/me/quotes{query}", f"citizen:{who}", body)


def deal(quote_id: str) -> Deal:
    """A deal as it is stored."""
    found = store.load_deal(quote_id)
    assert found is not None
    return found


def facts_of(effect_id: str) -> dict[str, Any]:
    """What a stored effect says happened."""
    facts: dict[str, Any] = json.loads(effect.load(effect_id).facts)
    return facts


def move(offer: Offer, *moves: Move) -> None:
    """A version of an offer is moved, by whoever may."""
    for each in moves:
        head = head_of(offer)
        actor = AUTHOR if TRANSITIONS[each].by == "merchant" else REVIEWER
        moved = heads.move_version(head, offer.version, each, actor, clock.now())
        unit = Unit()
        store.save_head(unit, moved)
        for key in _counters(offer) if each in {"stop", "lift"} else ():
            if each == "stop":
                store.counters.stop(unit, key, moved.stopped_to)
            else:
                store.counters.lift(unit, key, head.stopped_to, moved.stopped_to)
        unit.commit()


def _counters(offer: Offer) -> list[Any]:
    budget = [] if offer.budget_fen is None else [budget_key(offer)]
    return [*budget, *(stock_key(offer, variant.variant_id) for variant in offer.variants)]


def release(offer: Offer) -> Offer:
    """Another version of an offer is written, reviewed and released; its counters stay as they are."""
    head = head_of(offer)
    unit = Unit()
    store.save_version(unit, offer)
    store.save_head(unit, heads.add_draft(head, offer, AUTHOR, clock.now()))
    unit.commit()
    move(offer, "submit", "approve", "schedule")
    return offer


def suspend(world: World, who: str) -> None:
    """A person's own city suspends his benefits."""
    _order(world, who, "suspensions", {"kind": "all_benefits", "reason": {"zh": "停用", "en": "suspended"}})


def restore(world: World, who: str) -> None:
    """A person's own city restores his benefits."""
    _order(world, who, "suspensions/all_benefits/lift", None)


def _order(world: World, who: str, rest: str, body: Any) -> None:
    person = world.client.people[who]
    path = f"/v1/cities/{person['city']}/subjects/{person['subject_id']}/{rest}"
    assert world.post(path, f"city:{person['city']}", body).status == 200


def close_account(world: World, who: str) -> None:
    """A person's account is closed, as its store would."""
    row = AccountRow(*account_key(world.ref(who)))
    row.update(actions=[AccountRow.status.set("closed"), AccountRow.guard.set(AccountRow.guard + 1)])
