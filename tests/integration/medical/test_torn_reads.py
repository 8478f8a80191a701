"""LIMIT where a read is torn: items that come in one BatchGetItem are not of one instant, and a write may fall between.

No emulator tears a read, so it is torn here: a hold is read as it was before a write, its line as it was after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import pytest

from chalicelib.core import table
from chalicelib.core.table import Key, Row
from tests.in_process import Answer
from tests.integration.medical.audit import audit
from tests.integration.medical.clinic import Clinic

Act = Callable[[Clinic, str], Answer]


@contextmanager
def torn(part: str, act: Callable[[], object]) -> Iterator[None]:
    """Inside the block, the first read of several items finds those of this kind as they were before ``act``."""
    known, acts = table.fetch, [act]

    def fetch(keys: Iterable[Key]) -> dict[Key, Row]:
        wanted = set(keys)
        early = {key for key in wanted if part in key.pk}
        if not early or early == wanted or not acts:
            return known(wanted)
        before = known(early)
        acts.pop()()
        return before | known(wanted - early)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "fetch", fetch)
        yield
    assert not acts, "a read was torn"


STEPS: dict[str, Act] = {
    "a part": lambda clinic, hold_id: clinic.capture(hold_id, 300),
    "the last": lambda clinic, hold_id: clinic.capture(hold_id, 300, final=True),
    "given up": lambda clinic, hold_id: clinic.act("void", hold_id),
    "raised": lambda clinic, hold_id: clinic.act("raise", hold_id, {"amount_fen": 300}),
}
# What becomes of the second of two steps, if they are done one after the other.
SECOND_OF_TWO = {
    ("a part", "a part"): None, ("a part", "the last"): None, ("a part", "given up"): None, ("a part", "raised"): None,
    ("the last", "a part"): "hold-captured", ("the last", "given up"): "hold-captured",
    ("the last", "raised"): "hold-captured", ("given up", "a part"): "hold-voided",
    ("given up", "the last"): "hold-voided", ("given up", "raised"): "hold-voided", ("raised", "a part"): None,
}  # fmt: skip


@pytest.mark.parametrize("part", ["#hold#", "#line#"])
@pytest.mark.parametrize(("first", "second"), SECOND_OF_TWO)
def test_LIMIT_of_a_step_whose_read_is_torn_by_another(clinic: Clinic, first: str, second: str, part: str) -> None:
    hold_id = clinic.held(clinic.insured(), 1_000)
    with torn(part, lambda: STEPS[first](clinic, hold_id)):
        answer = STEPS[second](clinic, hold_id)
    assert answer.code == SECOND_OF_TWO[first, second], answer.text
    assert audit(clinic.world.items()) == []
