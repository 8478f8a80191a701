"""What a bank has granted in all: the sum of its open lines' limits, in shards, so that no item is everybody's.

A line belongs to one shard at a time; only a line that is opened, closed or booked anew writes to it, or moves to
another. Every shard has its own part of the cap, so the parts' sums never exceed the whole. A cap that is lowered may
leave a shard above its part: nothing is booked there until it is below.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from chalicelib.core.errors import Problem
from chalicelib.core.money import whole
from chalicelib.core.text import Text


class ExposureCapReached(Problem):
    code = "exposure-cap-reached"
    status = 409
    title = Text(
        "该银行信用就医的授信总额已达上限",
        "The bank's lines for medical credit have reached their cap in all",
    )


@dataclass(frozen=True, slots=True)
class Shard:
    """One part of the cap, and what of it the limits of its open lines use."""

    cap_fen: int
    used_fen: int = 0

    @property
    def free_fen(self) -> int:
        """What is left; 0 where a lowered cap lies below what is granted already."""
        return max(0, self.cap_fen - self.used_fen)

    @property
    def over_fen(self) -> int:
        """What a lowered cap has left above this part."""
        return max(0, self.used_fen - self.cap_fen)


def shard_caps(cap_fen: int, shards: int) -> tuple[int, ...]:
    """The cap in as equal parts as whole fen allow, the greater ones first. Σ parts = cap."""
    each, more = divmod(whole(cap_fen), shards)
    return tuple(each + (index < more) for index in range(shards))


def probe(first: int, shards: int, tries: int) -> Iterator[int]:
    """The shards in which a new line is tried: its own by the hash of its person, then evenly through the others."""
    assert 0 < tries <= shards, "a shard is tried once"
    stride = max(1, shards // tries)
    return ((first + turn * stride) % shards for turn in range(tries))


def granted(shard: Shard, before_fen: int, after_fen: int) -> Shard:
    """The shard after a line's limit went from ``before_fen`` (0: it is opened) to ``after_fen`` (0: it is closed).

    What lowers it is never refused. Raises: ExposureCapReached.
    """
    assert 0 <= before_fen <= shard.used_fen, "what a line gives back was granted"
    assert after_fen >= 0, "a limit is not negative"
    if after_fen - before_fen > shard.free_fen:
        raise ExposureCapReached
    return replace(shard, used_fen=shard.used_fen + after_fen - before_fen)
