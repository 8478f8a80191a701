"""Why nothing new may be held on one's own line."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.core.text import Text
from chalicelib.ledger.rules import lines
from chalicelib.medical.rules import BENEFITS
from chalicelib.medical.rules.credit import BY_BANK
from chalicelib.medical.rules.followups import OVERDUE
from chalicelib.medical.rules.own_lines import causes_of
from chalicelib.subjects.rules import Suspension
from tests.unit.medical.ward import NOON

SAID = Text("停", "stop")


def test_a_cause_is_told_once_and_in_words() -> None:
    line = lines.opened(100, NOON)
    for causes, benefits, codes in (
        (set(), [], []),
        ({BY_BANK}, [], ["bank"]),
        ({OVERDUE}, [], ["overdue"]),
        ({OVERDUE, BENEFITS}, ["overdue"], ["overdue"]),
        ({BY_BANK, BENEFITS, "something-new"}, ["all_benefits"], ["all_benefits", "bank", "something-new"]),
        ({BENEFITS}, [], []),
        (set(), ["pay_later_parking"], []),
    ):
        suspensions = [Suspension(kind, NOON, SAID) for kind in benefits]  # type: ignore[arg-type]
        told = causes_of(replace(line, suspended_for=frozenset(causes)), suspensions)
        assert [cause.code for cause in told] == codes
        assert all(cause.said.zh and cause.said.en for cause in told)
