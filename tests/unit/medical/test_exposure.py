"""What a bank has granted in all, in shards."""

from __future__ import annotations

import pytest

from chalicelib.medical.rules import ExposureCapReached, Shard, granted, probe, shard_caps


def test_the_parts_of_a_cap_add_up() -> None:
    assert shard_caps(10, 3) == (4, 3, 3)
    assert sum(shard_caps(50_000_000_000, 16)) == 50_000_000_000


def test_a_line_is_granted_changed_and_given_back() -> None:
    shard = granted(Shard(500), 0, 300)
    assert (shard.used_fen, shard.free_fen) == (300, 200)
    assert granted(shard, 300, 500).free_fen == 0
    for before, after in ((0, 201), (300, 501)):
        with pytest.raises(ExposureCapReached):
            granted(shard, before, after)
    assert granted(shard, 300, 0) == Shard(500)


def test_what_lowers_it_is_never_refused() -> None:
    over = Shard(100, 300)
    assert (over.free_fen, over.over_fen, Shard(300, 100).over_fen) == (0, 200, 0)
    assert granted(over, 300, 250).used_fen == 250
    assert granted(over, 300, 300) == over
    with pytest.raises(ExposureCapReached):
        granted(over, 250, 251)


def test_a_new_line_is_tried_in_several_shards_each_once() -> None:
    assert list(probe(14, 16, 4)) == [14, 2, 6, 10]
    assert sorted(probe(3, 7, 7)) == list(range(7))
    for first in range(5):
        assert len(set(probe(first, 5, 3))) == 3


def test_beliefs() -> None:
    for before, after in ((1, 0), (-1, 0), (0, -1)):
        with pytest.raises(AssertionError):
            granted(Shard(100, 0), before, after)
    with pytest.raises(AssertionError):
        probe(0, 2, 3)
