"""From a decision to a limit: what a person is given, why not, and what becomes of it when the score changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from chalicelib.core.errors import Problem
from chalicelib.core.text import Text
from chalicelib.ledger.rules import holds
from chalicelib.ledger.rules.lines import Line, LineClosed
from chalicelib.medical.rules.policy import Policy
from chalicelib.scenarios.rules import Decision

BENEFITS = "benefits"
"""The cause for which a line is suspended while all benefits of the score are."""

LineState = Literal["none", "open", "suspended", "closed"]


class PolicyNotInForce(Problem):
    code = "medical-policy-not-in-force"
    status = 409
    title = Text("该银行的信用就医授信规则当前未生效", "The bank's policy for medical credit is not in force")


class HospitalNotCovered(Problem):
    code = "hospital-not-covered"
    status = 403
    title = Text("该医院未参加此银行的信用就医", "This hospital does not take part in this bank's medical credit")


class LineExists(Problem):
    code = "credit-line-exists"
    status = 409
    title = Text("本人在该银行已有信用就医额度", "There is a credit line with this bank already")


class LimitNotGranted(Problem):
    code = "credit-limit-not-granted"
    status = 403
    title = Text("目前不能给予信用就医额度", "No limit for medical credit can be given at present")


class TermOver(Problem):
    code = "credit-line-term-over"
    status = 409
    title = Text("授信额度已到期，请重新开通", "The credit line's term is over; open it anew")


@dataclass(frozen=True, slots=True)
class Limit:
    """What a policy makes of a decision. ``fen`` None: no limit is granted; the decision has the reasons.

    ``capped``: the tier would have given more than the policy's ceiling. ``suspended``: all benefits of the score are,
    so that the decision says nothing about the person's limit.
    """

    fen: int | None
    capped: bool
    suspended: bool
    policy_version: int
    table_version: int


def limit_of(policy: Policy, decision: Decision) -> Limit:
    """The limit that the policy gives by a decision of its scenario: the tier's ``limit_fen``, up to the ceiling.

    What the table gives people without a score it gives here too. A limit of 0 is none.
    """
    assert (decision.city_id, decision.scenario_id) == (policy.city_id, policy.scenario_id), "a policy has a scenario"
    given = int(decision.benefit.get("limit_fen") or 0)
    suspended = decision.facts.standing.reason == "suspended"
    fen = None if suspended or not given else min(given, policy.ceiling_fen)
    return Limit(fen, fen is not None and given > fen, suspended, policy.version, decision.version)


def opening(policy: Policy, limit: Limit, line: Line | None, on: date, hospital_id: str | None = None) -> int:
    """The limit with which a line may be opened today; ``hospital_id`` where it is opened on the spot.

    Raises: PolicyNotInForce; HospitalNotCovered; LineExists; LimitNotGranted; in this order.
    """
    require_covered(policy, on, hospital_id)
    if line is not None and not line.closed:
        raise LineExists
    if limit.fen is None:
        raise LimitNotGranted
    return limit.fen


def require_covered(policy: Policy, on: date, hospital_id: str | None) -> None:
    """Returns if something may be held there today (None: nowhere yet).

    Raises: PolicyNotInForce; HospitalNotCovered; in this order.
    """
    if not policy.in_force(on):
        raise PolicyNotInForce
    if hospital_id is not None and not policy.admits(hospital_id):
        raise HospitalNotCovered


def require_term(opened_on: date, term_days: int, on: date) -> None:
    """Returns if the line's term is not over: what is held by then can be captured all the same. Raises: TermOver."""
    if (on - opened_on).days >= term_days:
        raise TermOver


def regraded(line: Line, limit: Limit, now: datetime) -> Line:
    """The line after a new decision: with the limit that it gives, or suspended while all benefits are.

    A decision that grants nothing leaves a limit of 0. The same line if nothing changes, so that nothing is written.

    Raises: LineClosed.
    """
    if line.closed:
        raise LineClosed
    paused, limit_fen = BENEFITS in line.suspended_for, limit.fen or 0
    if limit.suspended:
        return line if paused else holds.suspend(line, BENEFITS, now)
    if limit_fen == line.limit_fen and not paused:
        return line
    after = holds.relimit(line, limit_fen, now)
    return replace(after, suspended_for=after.suspended_for - {BENEFITS})
