"""A policy tried on a published distribution."""

from __future__ import annotations

from datetime import date

import pytest

from chalicelib.linking.rules import Published
from chalicelib.medical.rules import PopulationUnknown, population, what_if
from infra.local.demo_data import counts
from tests.unit.medical.ward import policy, published, scale, table

PERIOD = date(2026, 7, 1), date(2026, 8, 1)
COUNTS = Published("counts", *PERIOD, n=10, counts=((100, 1), (499, 2), (500, 3), (620, 0), (679, 2), (900, 2)))


def test_people_and_exposure_of_every_tier() -> None:
    tried = what_if(policy(), published(), population(COUNTS, scale()))
    told = [(tier.tier.zh, tier.limit_fen, tier.people, tier.exposure_fen) for tier in tried.tiers]
    assert told == [
        ("不良", 50_000, 3, 150_000), ("一般", 100_000, 3, 300_000),
        ("优秀", 200_000, 2, 400_000), ("极好", 300_000, 2, 600_000),
    ]  # fmt: skip
    assert (tried.people, tried.exposure_fen, tried.lines_at_cap) == (10, 1_450_000, 344_827)


def test_the_demos_population() -> None:
    rows = tuple((score, people) for score, people in counts("xiamen"))
    people = population(Published("counts", *PERIOD, n=3_630_000, counts=rows), scale())
    tried = what_if(policy(), published(), people)
    assert [tier.people for tier in tried.tiers] == [212_308, 719_269, 1_406_870, 1_011_511, 280_042]
    assert (tried.people, tried.exposure_fen > tried.exposure_cap_fen) == (3_630_000, True)
    assert tried.lines_at_cap == 312_991


def test_a_ceiling_shows() -> None:
    tried = what_if(policy(ceiling_fen=150_000), published(), population(COUNTS, scale()))
    assert [(tier.limit_fen, tier.capped) for tier in tried.tiers[-2:]] == [(150_000, True)] * 2
    assert tried.exposure_fen == 150_000 + 300_000 + 600_000


def test_bands_and_quantiles_count_too_few_rather_than_too_many() -> None:
    bands = Published("bands", *PERIOD, n=1001, bands=((0, 500, 30.0), (500, 700, 50.0), (700, 1001, 20.0)))
    tried = what_if(policy(), published(), population(bands, scale()))
    assert [(tier.tier.zh, tier.people) for tier in tried.tiers] == [("不良", 300), ("一般", 501), ("极好", 200)]
    quantiles = Published("quantiles", *PERIOD, n=100, quantiles=((0.25, 499), (0.5, 600), (0.9, 700)))
    tried = what_if(policy(), published(), population(quantiles, scale()))
    assert [(tier.tier.zh, tier.people) for tier in tried.tiers] == [
        ("不良", 25),
        ("一般", 25),
        ("良好", 40),
        ("极好", 10),
    ]


def test_people_without_a_tier_are_counted_too() -> None:
    tried = what_if(policy(), table({"极好": 300_000}), population(COUNTS, scale()))
    assert [(tier.tier.en, tier.limit_fen, tier.people) for tier in tried.tiers] == [
        ("no tier", 0, 8), ("Excellent", 300_000, 2),
    ]  # fmt: skip
    assert what_if(policy(), table({"极好": 300_000}), ()).lines_at_cap is None


@pytest.mark.parametrize(
    "unfit",
    [
        Published("cuts", *PERIOD, n=5),
        Published("range", *PERIOD, n=5),
        Published("bands", *PERIOD, bands=((0, 1, 1.0),)),
    ],
)
def test_what_was_not_counted_cannot_be_tried(unfit: Published) -> None:
    with pytest.raises(PopulationUnknown):
        population(unfit, scale())
