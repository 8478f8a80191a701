"""What a score scale is, what a recognition agreement may say, and the refusals of both.

Grid arithmetic is integer. A scale whose lower scores are better is *oriented* once (``oriented``), so that every rule
downstream may assume that more is better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Literal

from chalicelib.core.errors import Problem
from chalicelib.core.text import Text

Edge = Literal["ge", "gt"]
Direction = Literal["higher_is_better", "lower_is_better"]


class ScaleInvalid(Problem):
    code = "scale-invalid"
    status = 422
    title = Text("分制定义有误", "The scale is not well defined")


class ScoreOffScale(Problem):
    code = "score-off-scale"
    status = 422
    title = Text("分值不在分制的范围或刻度上", "The score is not on the scale's range or grid")


@dataclass(frozen=True, slots=True)
class Grade:
    """One named grade. The worst grade has no cut; every other starts at ``cut`` (``ge``) or just beyond it (``gt``).

    ``name`` (Chinese) is the grade's id within its scale.
    """

    name: str
    name_en: str
    cut: int | None
    edge: Edge = "ge"


@dataclass(frozen=True, slots=True)
class Scale:
    """One version of a city's score scale. Immutable once published.

    ``minimum`` and ``maximum`` are both reachable; scores lie on ``minimum + k * step``. ``grades`` run from worst to
    best and may be empty (a city that publishes no grades). ``illustrative`` is true where the cuts are invented.
    """

    city_id: str
    version: int
    score_name: Text
    minimum: int
    maximum: int
    step: int
    direction: Direction
    grades: tuple[Grade, ...]
    valid_from: date
    source: str
    illustrative: bool = False

    def check(self, score: object, pointer: str = "/score") -> int:
        """The score itself, if it lies on this scale.

        Raises: ScoreOffScale: not an int (a bool or a float is none), out of range, off the grid; in this order.
        """
        if type(score) is not int:
            raise ScoreOffScale.at(pointer, Text("分值必须是整数", "A score is a whole number"))
        if not self.minimum <= score <= self.maximum:
            said = Text("分值须在 {lo} 至 {hi} 之间", "A score lies between {lo} and {hi}")
            raise ScoreOffScale.at(pointer, said.format(lo=self.minimum, hi=self.maximum))
        if (score - self.minimum) % self.step:
            said = Text("分值须从 {lo} 起按 {step} 递增", "Scores run from {lo} in steps of {step}")
            raise ScoreOffScale.at(pointer, said.format(lo=self.minimum, step=self.step))
        return score

    @property
    def grid(self) -> tuple[int, int, int, Direction]:
        """Range, step and direction. On two versions with the same grid a score is the same score."""
        return self.minimum, self.maximum, self.step, self.direction

    def oriented(self, score: int) -> int:
        """The score with more being better: itself, or mirrored within the range. Its own inverse."""
        return score if self.direction == "higher_is_better" else self.minimum + self.maximum - score

    def threshold(self, score: int, edge: Edge) -> int:
        """The least oriented grid score that passes ``score`` with this edge (``gt`` is the next grid score)."""
        return self.oriented(score) + (self.step if edge == "gt" else 0)

    def grade_thresholds(self) -> tuple[int, ...]:
        """The oriented entry score of every grade but the worst, strictly increasing."""
        return tuple(self.threshold(g.cut, g.edge) for g in self.grades if g.cut is not None)

    def grade_of(self, score: int) -> Grade | None:
        """The grade of an on-scale score; None where the scale has no grades."""
        if not self.grades:
            return None
        oriented = self.oriented(score)
        return self.grades[sum(oriented >= t for t in self.grade_thresholds())]

    def grade_index(self, name: str) -> int | None:
        """Position of the grade of this name, 0 the worst; None if there is none."""
        return next((i for i, g in enumerate(self.grades) if g.name == name), None)


def check_scale(scale: Scale) -> Scale:
    """The scale itself, if it is well defined.

    Raises:
        ScaleInvalid: minimum not below maximum; step not dividing the range; one grade only; grade names repeated;
            the worst grade with a cut or another without; a cut out of range or off the grid; thresholds not strictly
            rising from worst to best (cuts that overlap or fall); in this order.
    """
    if scale.minimum >= scale.maximum:
        raise ScaleInvalid.at("/minimum", Text("最低分必须小于最高分", "The minimum must lie below the maximum"))
    if (scale.maximum - scale.minimum) % scale.step:
        raise ScaleInvalid.at("/step", Text("刻度必须整除分值范围", "The step must divide the range"))
    if len(scale.grades) == 1:
        raise ScaleInvalid.at("/grades", Text("等级至少两个，或者不设", "Give at least two grades, or none"))
    _check_names([g.name for g in scale.grades])
    for index, grade in enumerate(scale.grades):
        _check_cut(scale, index, grade)
    thresholds = scale.grade_thresholds()
    for index, (low, high) in enumerate(pairwise(thresholds), start=2):
        if low >= high:
            said = Text(
                "分界点必须逐级上升，不得重叠或下降", "Cuts must rise from grade to grade; these overlap or fall"
            )
            raise ScaleInvalid.at(f"/grades/{index}/cut", said)
    return scale


def _check_names(names: Sequence[str]) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            raise ScaleInvalid.at(f"/grades/{index}/name", Text("等级名称重复", "This grade name is used twice"))


def _check_cut(scale: Scale, index: int, grade: Grade) -> None:
    pointer = f"/grades/{index}/cut"
    if (grade.cut is None) != (index == 0):
        said = Text("最低等级不设分界点，其余等级必须设", "The worst grade has no cut; every other grade has one")
        raise ScaleInvalid.at(pointer, said)
    if grade.cut is None:
        return
    reach = grade.cut if grade.edge == "ge" else scale.oriented(scale.oriented(grade.cut) + scale.step)
    inside = scale.minimum <= grade.cut <= scale.maximum and scale.minimum <= reach <= scale.maximum
    if not inside or (grade.cut - scale.minimum) % scale.step:
        raise ScaleInvalid.at(pointer, Text("分界点不在分制的范围或刻度上", "The cut is not on the range or grid"))
