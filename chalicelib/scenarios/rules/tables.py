"""A tier table: one dated version of one city's scenario, as its author wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from chalicelib.cities.rules import Scale
from chalicelib.core.errors import Problem
from chalicelib.core.text import Text
from chalicelib.scenarios.rules.benefits import Benefit
from chalicelib.scenarios.rules.conditions import Condition, GradeIs
from chalicelib.scenarios.rules.reading import escaped

MAX_AREAS = 16
MAX_TIERS = 12
MAX_LEAVES = 6
MAX_ATTRIBUTES = 4
MAX_DEPTH = 3
MAX_SCORE = 100_000

USES: Mapping[str, Text] = {
    "library": Text("图书馆", "libraries"),
    "bicycle": Text("公共自行车", "public bicycles"),
    "parking": Text("停车", "parking"),
    "produce": Text("农产品", "farm produce"),
    "retail": Text("零售", "retail"),
    "medical_credit": Text("信用就医", "medical credit"),
    "government_service": Text("政务服务", "government services"),
    "transport": Text("公共交通", "public transport"),
    "tourism": Text("文化旅游", "tourism and culture"),
    "rental": Text("租赁", "rental"),
    "insurance": Text("保险", "insurance"),
    "lending": Text("贷款", "lending"),
}
RECIPIENTS = frozenset({"merchant", "bank", "hospital", "parking_operator", "library", "insurer", "city"})


class TableInvalid(Problem):
    code = "table-invalid"
    status = 422
    title = Text("分档规则无法读取", "The tier table cannot be read")


@dataclass(frozen=True, slots=True)
class Tier:
    """One row: who meets ``when`` is given ``benefit``. ``tier_id`` is unique within its area."""

    tier_id: str
    name: Text
    when: Condition
    benefit: Benefit


@dataclass(frozen=True, slots=True)
class ByGrade:
    """The short form of a table with one row per grade and one field: from that grade on, that amount of ``unit``."""

    unit: str
    amounts: Mapping[str, int | bool]


@dataclass(frozen=True, slots=True)
class Area:
    """What holds in one district, or with ``district`` None wherever no area of its own replaces it.

    ``tiers`` run from lowest to highest. ``cumulative``: all tiers reached count, a later one's field replacing an
    earlier one's; otherwise the last one reached counts alone. ``without`` is what anyone gets without a score. Either
    ``tiers`` or ``by_grade`` is given.
    """

    district: str | None
    cumulative: bool
    tiers: tuple[Tier, ...]
    without: Benefit = field(default_factory=dict)
    by_grade: ByGrade | None = None

    def rows(self, scale: Scale) -> list[tuple[str, Tier]]:
        """Every tier, lowest first, with its JSON pointer within the area; the short form is written out.

        A grade that the scale does not have is left out; ``compile_table`` and ``lint`` refuse it.
        """
        if self.by_grade is None:
            return [(f"/tiers/{index}", tier) for index, tier in enumerate(self.tiers)]
        return [
            (f"/by_grade/{escaped(grade.name)}", _grade_tier(index, grade.name, grade.name_en, self.by_grade))
            for index, grade in enumerate(scale.grades)
            if grade.name in self.by_grade.amounts
        ]


def _grade_tier(index: int, name: str, name_en: str, by_grade: ByGrade) -> Tier:
    benefit = {by_grade.unit: by_grade.amounts[name]}
    return Tier(f"grade_{index}", Text(name, name_en), GradeIs(name, or_better=True), benefit)


@dataclass(frozen=True, slots=True)
class TierTable:
    """One version of a scenario. In force on the city's own days from ``valid_from`` up to, without, ``valid_to``.

    ``recipients`` are the kinds of actor that may ask for a decision. ``fact_names`` says in words what the attributes
    in the conditions mean. ``illustrative`` is true where figures are invented.
    """

    city_id: str
    scenario_id: str
    version: int
    name: Text
    use: str
    recipients: tuple[str, ...]
    valid_from: date
    valid_to: date | None
    areas: tuple[Area, ...]
    source: str
    illustrative: bool = False
    fact_names: Mapping[str, Text] = field(default_factory=dict)

    def in_force(self, on: date) -> bool:
        """Whether the table holds on this day of the city."""
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)
