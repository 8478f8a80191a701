"""What is told of a line and of holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.ledger.rules import holds, lines
from chalicelib.ledger.rules.lines import Hold, Line
from chalicelib.medical.rules import BENEFITS, TermOver
from chalicelib.medical.rules.credit import CreditHold
from chalicelib.medical.rules.line_views import LimitView, hold_view, limit_view
from tests.unit.medical import ward
from tests.unit.medical.test_credit import NOW, REF, credit, limit


def test_what_is_told_is_what_could_be_held() -> None:
    one = credit(1_000)
    policy = ward.policy()
    view = limit_view("p1_x", policy, limit(400), one, NOW, ("granted",))
    assert (view.limit_fen, view.available_fen, view.granted_fen, view.reasons) == (400, 400, 400, ("granted",))
    over = limit_view("p1_x", policy, limit(400), one, NOW, (), over=True)
    assert (over.available_fen, over.reasons) == (0, (TermOver.code,))
    closed = replace(one, line=holds.close(one.line, NOW))
    assert limit_view("p1_x", policy, limit(400), closed, NOW, ()).state == "closed"
    assert limit_view("p1_x", policy, limit(None), None, NOW, ()).granted_fen is None


def test_what_is_told_of_a_line() -> None:
    def told(line: Line | None, now: datetime) -> tuple[object, ...]:
        one = None if line is None else replace(credit(300_000), line=line)
        view = limit_view("p1_x", ward.policy(), limit(300_000), one, now, ())
        assert (view.subject_id, view.bank_id, view.policy_version, view.table_version) == ("p1_x", "demo-bank", 1, 7)
        return standing(view)

    def standing(view: LimitView) -> tuple[object, ...]:
        figures = view.limit_fen, view.used_fen, view.held_fen, view.available_fen, view.granted_fen
        return view.state, *figures, view.as_of

    assert told(None, NOW) == ("none", 0, 0, 0, 0, 300_000, NOW)
    step = holds.place(lines.opened(300_000, NOW), "h1", 80_000, 3600, NOW)
    line = holds.capture(step.line, step.hold, 30_000, NOW).line
    assert told(line, NOW) == ("open", 300_000, 30_000, 50_000, 220_000, 300_000, NOW)
    later = NOW + timedelta(hours=2)
    assert told(line, later) == ("open", 300_000, 30_000, 0, 270_000, 300_000, later)
    ahead = replace(line, as_of=later)
    assert told(ahead, NOW)[-1] == later, "a reader's clock may be behind a writer's"
    suspended = holds.suspend(line, "bank", NOW)
    assert told(suspended, NOW) == ("suspended", 300_000, 30_000, 50_000, 0, 300_000, NOW)
    assert told(holds.suspend(line, BENEFITS, NOW), NOW)[0] == "open", "a hold would find them restored"
    assert told(holds.close(suspended, NOW), NOW)[0] == "closed"


def test_a_hold_as_of_now() -> None:
    hold = Hold("h1", 500, NOW + timedelta(days=1), 200)
    held = CreditHold("xiamen", "demo-bank", "first", REF, "credit_medical", "V-1", NOW, 1, hold)
    assert (hold_view(held, "p1_x", NOW).state, hold_view(held, "p1_x", NOW).left_fen) == ("open", 300)
    late = hold_view(held, "p1_x", NOW + timedelta(days=1))
    assert (late.state, late.left_fen, late.captured_fen) == ("expired", 0, 200)
