"""On what a limit rests: the bank's policy of today, the person's consent, the decision of the policy's scenario."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from chalicelib.cities import store as cities
from chalicelib.cities.rules import Control, require_active
from chalicelib.core import clock, table
from chalicelib.core.auth import Caller
from chalicelib.core.table import Key, Row
from chalicelib.medical import store
from chalicelib.medical.rules import Limit, Policy, PolicyNotInForce, TermOver, limit_of, require_term
from chalicelib.medical.rules.credit import CreditLine
from chalicelib.medical.rules.heads import digest_of
from chalicelib.medical.rules.kept import Kept
from chalicelib.medical.service.policies import policy_today
from chalicelib.partners.rules import require_partner
from chalicelib.scenarios.rules import Basis, Decision, digest, explain
from chalicelib.scenarios.service import RecipientNotNamed
from chalicelib.scenarios.service.grounds import basis_of, decided
from chalicelib.subjects import service as subjects
from chalicelib.subjects import store as accounts
from chalicelib.subjects.rules import Account, AccountRef, ConsentRequired, require_consent


@dataclass(frozen=True, slots=True)
class Ground:
    """What was read for one bank and any number of people."""

    host: Control
    bank_id: str
    shards: int
    policy: Policy
    today: date
    rows: dict[Key, Row]

    @property
    def scenario(self) -> str:
        """What a score is looked at for: "<city>/<scenario>"."""
        return f"{self.host.city_id}/{self.policy.scenario_id}"

    @property
    def bank(self) -> str:
        """The bank as a recipient of consents."""
        return f"bank:{self.host.city_id}/{self.bank_id}"

    def account(self, ref: AccountRef) -> Account | None:
        """A person's account; None if there is none."""
        return accounts.account_in(self.rows, ref)

    def credit(self, ref: AccountRef) -> CreditLine | None:
        """The line that a person opened by this account; None if there is none."""
        found = self.anybodys_credit(ref)
        return found if found is not None and found.ref == ref else None

    def anybodys_credit(self, ref: AccountRef) -> CreditLine | None:
        """A person's line with the bank, whichever of his accounts opened it: there is one a person and bank."""
        return store.line_in(self.rows, store.line_key(self.host.city_id, ref.person_id, self.bank_id))


@dataclass(frozen=True, slots=True)
class Judged:
    """What the policy makes of one person today, and from which facts."""

    account: Account
    basis: Basis
    decision: Decision
    limit: Limit

    @property
    def reasons(self) -> tuple[str, ...]:
        """The codes that an institution is told."""
        return explain(self.decision, "partner").codes


def read_ground(
    city_id: str, bank_id: str, refs: Iterable[AccountRef], now: datetime, more: Iterable[Key] = ()
) -> Ground:
    """Reads it all, in one BatchGet per hundred items.

    Raises: NotFound: no such city; CitySuspended; PartnerSuspended: the bank; PolicyNotInForce; in this order.
    """
    keys = {cities.control_key(city_id), store.head_key(city_id, bank_id), *more}
    for ref in refs:
        line_key = store.line_key(city_id, ref.person_id, bank_id)
        keys |= {cities.control_key(ref.city_id), accounts.account_key(ref), line_key}
    return ground_in(table.fetch(keys), city_id, bank_id, now)


def ground_in(rows: dict[Key, Row], city_id: str, bank_id: str, now: datetime) -> Ground:
    """The same from what was read. Raises: as ``read_ground``."""
    host = require_active(cities.control_in(rows, city_id))
    require_partner(host, bank_id)
    today = clock.day_in(host.time_zone, now)
    head = store.head_in(rows, city_id, bank_id)
    policy = policy_today(city_id, head, today)
    if head is None or policy is None or host.scenario_version(policy.scenario_id, today) is None:
        raise PolicyNotInForce
    assert head.shards is not None, "a version that is in force was approved"
    return Ground(host, bank_id, head.shards, policy, today, rows)


def consenting(ground: Ground, ref: AccountRef | None, recipients: Iterable[str], now: datetime) -> Account:
    """The account, if its person lets each of these recipients have decisions in this scenario.

    Raises: ConsentRequired: also for nobody.
    """
    account = None if ref is None else ground.account(ref)
    for recipient in recipients:
        if "decision" not in require_consent(account, ground.scenario, recipient, now).items:
            raise ConsentRequired
    if account is None:
        raise ConsentRequired
    return account


def judge(ground: Ground, account: Account, kinds: Iterable[str], now: datetime) -> Judged:
    """What the policy makes of this person today. Raises: RecipientNotNamed: the scenario is not open to ``kinds``."""
    home = cities.control_in(ground.rows, account.ref.city_id)
    basis = basis_of(ground.host, home, account, ground.policy.scenario_id, None, now)
    decision = decided(basis)
    if not set(kinds) <= set(decision.compiled.table.recipients):
        raise RecipientNotNamed
    return Judged(account, basis, decision, limit_of(ground.policy, decision))


def kept(ground: Ground, judged: Judged) -> Kept:
    """What the effect of a look keeps."""
    version = ground.policy.version
    approved = store.load_version(ground.host.city_id, ground.bank_id, version)
    return Kept(ground.bank_id, version, digest_of(approved), judged.basis, digest(judged.decision))


def require_line_term(credit: CreditLine, on: date) -> None:
    """Returns if the line's term, by the policy under which it was opened, is not over. Raises: TermOver."""
    opened_under = store.load_version(credit.city_id, credit.bank_id, credit.policy_version)
    require_term(credit.opened_on, opened_under.term_days, on)


def term_over(credit: CreditLine | None, on: date) -> bool:
    """Whether there is a line whose term is over."""
    if credit is None or credit.line.closed:
        return False
    try:
        require_line_term(credit, on)
    except TermOver:
        return True
    return False


def meant(caller: Caller, subject_id: str) -> AccountRef | None:
    """Whom a bank means; None: nobody whom it knows, which is said where a missing consent is, and not before."""
    try:
        return subjects.resolve(caller, subject_id)
    except ConsentRequired:
        return None


def bank_of(caller: Caller) -> tuple[str, str]:
    """The city and the id of a bank that asks."""
    assert caller.kind == "bank", "the route's policy lets banks alone come"
    return caller.city_id, caller.tenant
