"""A pass (出示码): what a citizen shows at a counter, good once, for two minutes, for one recipient or scenario."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.core.errors import Problem
from chalicelib.core.text import Text
from chalicelib.subjects.rules.account import AccountRef

PASS_LIFE = timedelta(seconds=120)
PASSES_PER_MINUTE = 10


class PassInvalid(Problem):
    """Not made here, changed, or made for somebody else: the same answer."""

    code = "pass-invalid"
    status = 403
    title = Text("出示码无效", "This pass is not valid here")


class PassExpired(Problem):
    code = "pass-expired"
    status = 403
    title = Text("出示码已过期，请重新出示", "This pass has expired; please show a new one")


class PassUsed(Problem):
    code = "pass-used"
    status = 409
    title = Text("出示码已使用，请重新出示", "This pass was used before; please show a new one")


class PassNotLive(Problem):
    code = "pass-not-live"
    status = 403
    title = Text("请先完成人脸核验，再重新出示", "This takes a pass that was made after a fresh face check")


@dataclass(frozen=True, slots=True)
class PassWish:
    """For whom a citizen wants a pass: a recipient, a scenario or both. ``ward_id``: the child for whom he shows it."""

    recipient: str | None = None
    scenario: str | None = None
    ward_id: str | None = None


@dataclass(frozen=True, slots=True)
class Pass:
    """What a pass says once it is opened. None: any recipient, or any scenario.

    ``ward_id``: the child for whom its citizen shows it. ``live``: he had just shown his face.
    """

    pass_id: str
    ref: AccountRef
    recipient: str | None
    scenario: str | None
    expires_at: datetime
    ward_id: str | None = None
    live: bool = False


@dataclass(frozen=True, slots=True)
class ShownPass:
    """A pass as it leaves: sealed."""

    pass_code: str
    expires_at: datetime


def check_pass(shown: Pass, recipient: str, scenario: str | None, now: datetime) -> Pass:
    """The pass itself, if this recipient may use it for this scenario now; None: whichever it will be.

    Raises: PassInvalid: it is for another recipient or another scenario; PassExpired.
    """
    if shown.recipient not in {None, recipient} or (scenario and shown.scenario not in {None, scenario}):
        raise PassInvalid
    if shown.expires_at <= now:
        raise PassExpired
    return shown


def require_live(shown: Pass) -> None:
    """Returns if the pass was made after a fresh face check. Raises: PassNotLive."""
    if not shown.live:
        raise PassNotLive


def minute_of(now: datetime) -> int:
    """The minute within which passes are counted, from the epoch."""
    return int(now.timestamp()) // 60


def seconds_to_next_minute(now: datetime) -> int:
    """How long until passes are counted anew: 1 to 60."""
    return 60 - int(now.timestamp()) % 60
