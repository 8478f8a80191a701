"""REWARD for policies: what the linter lets pass never gives a better score less."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.cities.rules import Scheme
from chalicelib.medical.rules import ExposureCapReached, Shard, granted, limit_of, lint_policy, shard_caps
from chalicelib.scenarios.rules import may_publish
from tests.unit.medical.ward import COURT, decided, policy, table

GRADES = ("不良", "一般", "良好", "优秀", "极好")
SCORES = (None, 0, 499, 500, 559, 560, 619, 620, 679, 680, 1000)
LIMITS = st.sampled_from([50_000, 100_000, 150_000, 200_000, 300_000])


@settings(max_examples=80, deadline=None)
@given(st.lists(LIMITS, min_size=5, max_size=5), st.integers(20_000, 400_000), st.one_of(st.none(), LIMITS))
def test_REWARD_a_better_score_never_has_a_lower_limit(limits: list[int], ceiling: int, without: int | None) -> None:
    area = {"district": None, "by_grade": dict(zip(GRADES, limits, strict=True)), "unit": "limit_fen"}
    area |= {} if without is None else {"without": {"limit_fen": without}}
    by, terms = table({}, areas=[area]), policy(ceiling_fen=ceiling)
    passes = may_publish(lint_policy(terms, by, Scheme(), (COURT,)))
    given_fen = [limit_of(terms, decided(score, by)).fen or 0 for score in SCORES]
    rising = limits == sorted(limits) and (without is None or without <= limits[0])
    assert passes == rising, "what is refused would really punish, and nothing else is refused"
    if passes:
        assert given_fen == sorted(given_fen)
        assert max(given_fen) <= ceiling


@settings(max_examples=80, deadline=None)
@given(st.data(), st.integers(1, 8), st.integers(8, 1_000))
def test_LIMIT_the_lines_of_a_bank_never_exceed_its_cap(data: st.DataObject, shards: int, cap: int) -> None:
    kept = [Shard(part) for part in shard_caps(cap, shards)]
    lines: dict[int, tuple[int, int]] = {}
    for number in range(data.draw(st.integers(1, 30))):
        known = data.draw(st.sampled_from([number, *lines]))
        place, before = lines.get(known, (data.draw(st.integers(0, shards - 1)), 0))
        after = data.draw(st.integers(0, 200))
        try:
            kept[place] = granted(kept[place], before, after)
        except ExposureCapReached:
            assert after > before
            assert kept[place].used_fen + after - before > kept[place].cap_fen
        else:
            lines[known] = (place, after)
        assert sum(shard.used_fen for shard in kept) == sum(limit for _, limit in lines.values()) <= cap
