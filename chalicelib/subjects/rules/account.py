"""The citizen's account: what is in it, and when a score may be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from chalicelib.core.errors import NotFound, Problem
from chalicelib.core.text import Text

MAX_CONSENTS = 40
CITY_ID_MAX_CHARS = 24
ConsentItem = Literal["decision", "grade", "score"]


class ConsentRequired(Problem):
    """No live consent, a foreign subject or an unknown one: the same answer, so that nobody can probe for people."""

    code = "consent-required"
    status = 403
    title = Text(
        "需要本人对该场景和接收方的有效授权", "A live consent of the person for this scenario and recipient is needed"
    )


@dataclass(frozen=True, slots=True)
class AccountRef:
    """One person's account in one city. ``person_id`` never leaves Egret."""

    city_id: str
    person_id: str

    @property
    def secret(self) -> str:
        """What pairwise ids and passes seal, of one length for every city: a seal's length would tell a visitor."""
        return f"{self.city_id:<{CITY_ID_MAX_CHARS}}/{self.person_id}"

    @classmethod
    def of_secret(cls, secret: str) -> AccountRef:
        """The account that a pairwise id sealed."""
        city_id, _, person_id = secret.partition("/")
        return cls(city_id.rstrip(), person_id)


@dataclass(frozen=True, slots=True)
class HeldScore:
    """The score an account holds: on which version of the city's scale, as of when, which revision of that day."""

    score: int
    scale_version: int
    as_of: datetime
    revision: int


@dataclass(frozen=True, slots=True)
class ConsentBrief:
    """What the account itself knows of a consent; the evidence is the effect named ``grant_id``."""

    grant_id: str
    expires_at: datetime
    items: tuple[ConsentItem, ...]

    def live(self, now: datetime) -> bool:
        """Whether it has not expired (withdrawn consents are not in the account at all)."""
        return now < self.expires_at


@dataclass(frozen=True, slots=True)
class Account:
    """A citizen's account in a city: one item, one read, at most 4 KB.

    ``guard`` grows with every change to consents, suspensions or status, and with nothing else: a write conditioned on
    it holds only if what it relied on still stands, and a monthly re-score does not disturb it.
    """

    ref: AccountRef
    enrolled_at: datetime
    status: Literal["active", "closed"] = "active"
    guard: int = 1
    score: HeldScore | None = None
    consents: Mapping[str, ConsentBrief] = field(default_factory=dict)
    suspensions: Mapping[str, datetime] = field(default_factory=dict)

    def live_consents(self, now: datetime) -> dict[str, ConsentBrief]:
        """The consents that have not expired, by ``consent_key``."""
        return {key: brief for key, brief in self.consents.items() if brief.live(now)}

    def consent(self, scenario: str, recipient: str, now: datetime) -> ConsentBrief | None:
        """The live consent for this scenario and recipient, if there is one."""
        found = self.consents.get(consent_key(scenario, recipient))
        return found if found is not None and found.live(now) else None


def consent_key(scenario: str, recipient: str) -> str:
    """The name of a consent within an account: ``<city>/<scenario>><recipient>``."""
    return f"{scenario}>{recipient}"


def require_consent(account: Account | None, scenario: str, recipient: str, now: datetime) -> ConsentBrief:
    """The live consent that lets ``recipient`` use this person's score in ``scenario``.

    Source: PIPL art. 23 (separate consent per recipient).
    Raises: ConsentRequired: no account, closed, or no live consent.
    """
    if account is None or account.status != "active":
        raise ConsentRequired
    consent = account.consent(scenario, recipient, now)
    if consent is None:
        raise ConsentRequired
    return consent


def require_account(account: Account | None) -> Account:
    """The account, if it is there and open. Raises: NotFound."""
    if account is None or account.status != "active":
        raise NotFound
    return account
