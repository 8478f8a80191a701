"""What a citizen sees of himself: his account, and who looked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.cities.rules import Scale
from chalicelib.core.text import Text
from chalicelib.subjects.rules.account import Account
from chalicelib.subjects.rules.suspensions import Suspension, suspensions_of

_PURPOSES: Mapping[str, Text] = {
    "enrol-subject": Text("为您开通信用账户", "Opened your account"),
    "grant-consent": Text("您给予了授权", "You gave a consent"),
    "withdraw-consent": Text("您撤回了授权", "You withdrew a consent"),
    "suspend-benefits": Text("暂停了您的守信优惠", "Suspended benefits of yours"),
    "restore-benefits": Text("恢复了您的守信优惠", "Restored benefits of yours"),
    "look-at-score": Text("查看了您的信用分", "Looked at your score"),
    "look-at-score-history": Text("查看了您的信用分变化", "Looked at the history of your score"),
    "decide": Text("查询您在某一场景可享的待遇", "Asked what you are entitled to in a scenario"),
    "replay": Text("核验了关于您的一次决定", "Checked a decision about you again"),
}
_OTHER_PURPOSE = Text("使用了您的信用账户", "Used your account")


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
    suspensions: tuple[Suspension, ...]


@dataclass(frozen=True, slots=True)
class MyLook:
    """One line of "who looked": which institution of which city, when, what for."""

    effect_id: str
    city_id: str
    actor: str
    tenant: str
    at: datetime
    purpose: str
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
    return Me(subject_id, account.ref.city_id, account.enrolled_at, score, consents, suspensions_of(account))


def words_for(purpose: str) -> Text:
    """A purpose's code in words for the citizen; what follows a colon says more of the same purpose."""
    return _PURPOSES.get(purpose.partition(":")[0], _OTHER_PURPOSE)
