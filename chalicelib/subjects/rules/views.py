"""What a citizen sees of himself: his account, and who looked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.cities.rules import Scale
from chalicelib.core.text import Text
from chalicelib.subjects.rules.account import Account
from chalicelib.subjects.rules.suspensions import OwnSuspension, own_suspensions

_PURPOSES: Mapping[str, Text] = {
    "enrol-subject": Text("{who}为您开通了信用账户", "{who} opened your account"),
    "grant-consent": Text("{who}给予了授权", "{who} gave a consent"),
    "withdraw-consent": Text("{who}撤回了授权", "{who} withdrew a consent"),
    "suspend-benefits": Text("{who}暂停了您的守信优惠", "{who} suspended benefits of yours"),
    "restore-benefits": Text("{who}恢复了您的守信优惠", "{who} restored benefits of yours"),
    "confirm-ward": Text("{who}确认了您是一名未成年人的监护人", "{who} confirmed that you are a child's guardian"),
    "end-ward": Text("{who}终止了您的监护人登记", "{who} ended what it had confirmed of you as a guardian"),
    "look-at-score": Text("{who}查看了您的信用分", "{who} looked at your score"),
    "look-at-score-history": Text("{who}查看了您的信用分变化", "{who} looked at the history of your score"),
    "decide": Text("{who}查询了您在场景 {scenario} 可享的待遇", "{who} asked what you are entitled to in {scenario}"),
    "quote": Text("{who}试算了您在场景 {scenario} 的优惠价", "{who} asked what you pay in {scenario}"),
    "reserve": Text("{who}按试算办理了预留（场景 {scenario}）", "{who} put by what was quoted to you in {scenario}"),
    "release": Text("{who}取消了试算或预留（场景 {scenario}）", "{who} gave up a quote or a reservation in {scenario}"),
    "redeem": Text("{who}按试算价核销（场景 {scenario}）", "{who} redeemed a quote of yours in {scenario}"),
    "refund": Text("{who}办理了退款（场景 {scenario}）", "{who} refunded a purchase of yours in {scenario}"),
    "pull-limit": Text(
        "{who}查询了您的信用就医额度（场景 {scenario}）", "{who} asked for your credit limit in {scenario}"
    ),
    "open-line": Text(
        "{who}开通了您的信用就医额度（场景 {scenario}）", "{who} opened a credit line of yours in {scenario}"
    ),
    "relimit-line": Text(
        "{who}重新核定了您的信用就医额度（场景 {scenario}）", "{who} booked a credit line of yours anew in {scenario}"
    ),
    "suspend-line": Text("{who}暂停了您的信用就医额度", "{who} suspended a credit line of yours"),
    "resume-line": Text("{who}恢复了您的信用就医额度", "{who} resumed a credit line of yours"),
    "close-line": Text("{who}关闭了您的信用就医额度", "{who} closed a credit line of yours"),
    "hold": Text(
        "{who}在您的额度上作了预授权（场景 {scenario}）", "{who} set an amount aside on your credit line in {scenario}"
    ),
    "open-line-and-hold": Text(
        "{who}在急诊中为您开通额度并作了预授权（场景 {scenario}）",
        "{who} opened a credit line of yours in an emergency and set an amount aside on it in {scenario}",
    ),
    "refund-charge": Text(
        "{who}退还了就诊扣款（场景 {scenario}）", "{who} gave back what it had captured for a visit in {scenario}"
    ),
    "settle-visit": Text(
        "{who}结算了您付款的就诊（场景 {scenario}）", "{who} settled a visit that you pay in {scenario}"
    ),
    "cancel-visit": Text(
        "{who}取消了您付款的就诊（场景 {scenario}）", "{who} cancelled a visit that you would pay in {scenario}"
    ),
    "repay": Text(
        "{who}登记了您的一笔信用就医还款（场景 {scenario}）",
        "{who} noted a repayment of your medical bill in {scenario}",
    ),
    "pay-out": Text("{who}退还了您多还的款项（场景 {scenario}）", "{who} gave back what you had repaid in {scenario}"),
    "write-off": Text("{who}核销了您的信用就医欠款（场景 {scenario}）", "{who} wrote off what you owe in {scenario}"),
    "state-month": Text("{who}出具了您的信用就医月账单", "{who} stated a month of your medical bill"),
    "capture": Text("{who}按预授权扣款（场景 {scenario}）", "{who} captured an amount set aside in {scenario}"),
    "void": Text("{who}撤销了预授权（场景 {scenario}）", "{who} gave up an amount set aside in {scenario}"),
    "regrade-line": Text(
        "{who}的规则按您的新信用状况调整了您的信用就医额度（场景 {scenario}）",
        "{who} changed the limit of your credit line in {scenario} as your score calls for",
    ),
    "remind-bill": Text("{who}提醒您按时偿还信用就医账单", "{who} reminded you of a medical bill"),
    "suspend-overdue": Text(
        "因欠{who}的信用就医账单逾期未还，守信优惠或额度已暂停",
        "{who} had benefits or a credit line of yours suspended for an overdue medical bill",
    ),
    "record-default": Text(
        "因欠{who}的信用就医账单连续逾期，记入了信用记录",
        "{who} had a credit record made: medical bills were overdue in several months in a row",
    ),
    "look-at-records": Text("{who}查看了您的信用记录", "{who} looked at your credit records"),
    "repair-record": Text("{who}修复了您的一条信用记录", "{who} repaired a credit record of yours"),
    "ask-review": Text("{who}申请了对信用就医额度的人工复核", "{who} asked for a review of a credit limit"),
    "withdraw-review": Text("{who}撤回了复核申请", "{who} took a review back"),
    "look-at-review": Text("{who}查看了您的复核申请", "{who} read a review that you asked for"),
    "forward-review": Text(
        "{who}将您的复核申请转至您所在的城市", "{who} handed a review that you asked for to your city"
    ),
    "return-review": Text(
        "{who}复核信用分后将您的复核申请退回银行", "{who} looked at the score and gave your review back to the bank"
    ),
    "uphold-review": Text("{who}答复了您的复核申请：维持原决定", "{who} answered your review: the decision stands"),
    "correct-review": Text(
        "{who}答复了您的复核申请：已更正，给予例外额度", "{who} answered your review: corrected by an exceptional limit"
    ),
    "replay": Text("{who}核验了关于您的一次决定", "{who} checked a decision about you again"),
}
_IN_A_SCENARIO = frozenset(
    {
        "repay", "pay-out", "write-off",
        "decide", "quote", "reserve", "release", "redeem", "refund", "pull-limit", "open-line", "relimit-line", "hold",
        "capture", "void", "refund-charge", "open-line-and-hold", "settle-visit", "cancel-visit", "regrade-line",
    }
)  # fmt: skip
_OTHER_PURPOSE = Text("{who}使用了您的信用账户", "{who} used your account")
_SOME_SCENARIO = Text("（未注明）", "a scenario")
_KINDS: Mapping[str, Text] = {
    "citizen": Text("您", "You"),
    "merchant": Text("商户", "The merchant"),
    "bank": Text("银行", "The bank"),
    "hospital": Text("医院", "The hospital"),
    "parking_operator": Text("停车运营方", "The parking operator"),
    "library": Text("图书馆", "The library"),
    "insurer": Text("保险机构", "The insurer"),
    "city": Text("城市", "The city"),
    "alliance": Text("城市联盟", "The alliance of cities"),
    "auditor": Text("审计员", "The auditor"),
}


@dataclass(frozen=True, slots=True)
class GradeName:
    """A grade's names."""

    name: str
    name_en: str


@dataclass(frozen=True, slots=True)
class MyScore:
    """A citizen's own score, for himself alone."""

    score: int
    scale_version: int
    as_of: datetime
    grade: GradeName | None


@dataclass(frozen=True, slots=True)
class Me:
    """A citizen's account, for himself alone."""

    subject_id: str
    city_id: str
    enrolled_at: datetime
    score: MyScore | None
    live_consents: int
    suspensions: tuple[OwnSuspension, ...]


@dataclass(frozen=True, slots=True)
class MyLook:
    """One line of "who looked": which institution of which city, when, what for.

    Args:
        scenario: "<city>/<scenario>" where the purpose is one; None elsewhere.
        words: All of it in a sentence.
    """

    effect_id: str
    city_id: str
    actor: str
    tenant: str
    at: datetime
    purpose: str
    scenario: str | None
    words: Text


def me(account: Account, subject_id: str, scale: Scale | None, now: datetime) -> Me:
    """An account as its owner sees it; ``scale`` is the one his score is on."""
    held = account.score
    score = None
    if held is not None and scale is not None:
        grade = scale.grade_of(held.score)
        named = None if grade is None else GradeName(grade.name, grade.name_en)
        score = MyScore(held.score, held.scale_version, held.as_of, named)
    consents = len(account.live_consents(now))
    return Me(subject_id, account.ref.city_id, account.enrolled_at, score, consents, own_suspensions(account))


def scenario_in(purpose: str) -> str | None:
    """The scenario for which something was done, as "<city>/<scenario>"; None if it was for none."""
    kind, _, scenario = purpose.partition(":")
    return scenario if kind in _IN_A_SCENARIO and scenario else None


def words_for(purpose: str, actor: str, tenant: str) -> Text:
    """Who did what, in words for the citizen; what follows a purpose's colon is the scenario it was for."""
    who = _named(_KINDS[actor], "" if actor in {"citizen", tenant} else tenant)
    scenario = scenario_in(purpose)
    place = Text(scenario, scenario) if scenario else _SOME_SCENARIO
    said = _PURPOSES.get(purpose.partition(":")[0], _OTHER_PURPOSE)
    return Text(said.zh.format(who=who.zh, scenario=place.zh), said.en.format(who=who.en, scenario=place.en))


def _named(kind: Text, tenant: str) -> Text:
    """A kind of actor with the name of this one, unless there is but one."""
    return Text(f"{kind.zh} {tenant} ", f"{kind.en} {tenant}") if tenant else kind
