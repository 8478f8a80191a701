"""Knots, bounds, cuts in R and the canonical document."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from chalicelib.linking.rules import (
    Concordance,
    ConcordanceCorrupt,
    Published,
    ReferenceFrozen,
    ReferenceUnfit,
    build_concordance,
    build_reference,
    canonical_json,
    from_document,
    grade_bands,
    to_document,
)
from chalicelib.linking.rules.cells import masses_of
from chalicelib.linking.rules.check import REQUIRED_RANKS
from chalicelib.linking.rules.reference import R_CEILING, R_FLOOR, r_of_rank
from tests.unit.linking.demo import FROM, NUMERIC, SCALES, TO, VALID, a_scale, concordance, counted, published

REFERENCE = concordance("xiamen")


def linked(given: Published, **scale: Any) -> Concordance:
    return build_concordance(given, a_scale(**scale), REFERENCE, version=3, valid_from=VALID, supersedes=2)


@pytest.mark.parametrize("city", NUMERIC)
def test_knots_rise_strictly_from_end_to_end(city: str) -> None:
    c = concordance(city)
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(c.knots))
    assert all(r == round(r, 2) and 0 <= r <= 1000 for _, r in c.knots)
    assert (c.knots[0][0], c.knots[-1][0]) == (SCALES[city].minimum, SCALES[city].maximum)


@pytest.mark.parametrize("city", NUMERIC)
def test_LINK_bounds_rise_and_enclose_the_knots(city: str) -> None:
    c = concordance(city)
    assert all(lower <= r <= upper for (lower, upper), (_, r) in zip(c.bounds, c.knots, strict=True))
    assert all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(c.bounds))


def test_only_scores_with_people_and_unobserved_ends_are_knots() -> None:
    c = linked(counted(((10, 300), (40, 0), (50, 400), (90, 300))), maximum=100)
    assert c.knots == (
        (0, 0.0),
        (10, round(r_of_rank(0.15), 2)),
        (50, 500.0),
        (90, round(r_of_rank(0.85), 2)),
        (100, 1000.0),
    )


def test_observed_ends_are_knots_like_any_other() -> None:
    c = linked(counted(((0, 300), (50, 400), (100, 300))), maximum=100)
    assert [score for score, _ in c.knots] == [0, 50, 100]
    assert c.knots[0][1] == round(r_of_rank(0.15), 2)


def test_scores_of_the_same_r_are_held_by_the_first() -> None:
    rows = ((10, 1), (11, 1), (12, 1), (50, 20_000_000), (51, 1), (60, 20_000_000), (90, 1), (91, 1))
    c = linked(counted(rows), maximum=100)
    assert c.held == ((10, 12), (90, 91))
    assert [score for score, _ in c.knots] == [0, 10, 50, 51, 60, 90, 100]
    assert (c.knots[1][1], c.knots[-2][1]) == (R_FLOOR, R_CEILING)


def test_a_lower_bound_is_the_edge_of_the_tie_less_1645_standard_errors() -> None:
    c = concordance("zhengzhou")
    (lower, upper), _ = next((b, k) for b, k in zip(c.bounds, c.knots, strict=True) if k[0] == 100)
    assert lower == pytest.approx(r_of_rank(0.19) - 16.45, abs=0.02)
    assert upper == pytest.approx(r_of_rank(0.64) + 16.45, abs=0.02)
    assert c.ties == ((100, 100),)


def test_the_reference_rests_on_its_own_people_and_no_link() -> None:
    assert REFERENCE.reference_id == REFERENCE.id == "xiamen/1"
    assert REFERENCE.link_sd == 0
    assert "population_equivalence_assumed" not in REFERENCE.flags
    at_693 = dict(zip((s for s, _ in REFERENCE.knots), REFERENCE.bounds, strict=True))[693]
    assert at_693 == pytest.approx((665.3, 667.4), abs=0.2)


@pytest.mark.parametrize("city", ["hangzhou", "fuzhou", "zhengzhou"])
def test_every_other_city_carries_the_link_and_says_what_it_assumes(city: str) -> None:
    c = concordance(city)
    assert (c.reference_id, c.link_sd) == ("xiamen/1", 10.0)
    assert "population_equivalence_assumed" in c.flags
    assert all(upper - lower >= 2 * 16.4 for lower, upper in c.bounds if lower > 50 and upper < 950)


def test_the_method_names_what_was_published() -> None:
    methods = {city: concordance(city).method for city in (*NUMERIC, "wuxi")}
    assert methods == {
        "xiamen": "equipercentile_counts",
        "hangzhou": "equipercentile_counts",
        "fuzhou": "equipercentile_quantiles",
        "zhengzhou": "equipercentile_counts",
        "wuxi": "grade_policy",
    }


def test_quantiles_give_the_r_of_their_rows() -> None:
    knots = dict(concordance("fuzhou").knots)
    for p, score in published("fuzhou").quantiles[3:-3]:
        assert knots[score] == pytest.approx(r_of_rank(p), abs=2.0)


def test_the_outermost_quantile_rows_keep_their_rank_and_reach_as_far_out_as_in() -> None:
    masses = masses_of(published("fuzhou"), SCALES["fuzhou"])
    for (_, below, upto), p in ((masses[0], 0.0001), (masses[-1], 0.9999)):
        assert 0 < below < p < upto < 1
        assert (below + upto) / 2 == pytest.approx(p, abs=1e-9)
    assert all(a[2] == b[1] and a[0] + 1 == b[0] for a, b in pairwise(masses))


def test_ties_among_quantiles_hold_all_who_tie() -> None:
    rows = tuple((p, min(max(round(100 * p), 30), 80)) for p in REQUIRED_RANKS)
    masses = masses_of(Published("quantiles", FROM, TO, 5_000, quantiles=rows), a_scale(maximum=100))
    assert masses[0] == pytest.approx((30, 0.0, 0.305))
    assert masses[-1] == pytest.approx((80, 0.795, 1.0))


def test_quantiles_of_a_scale_whose_lower_scores_are_better_are_the_mirror_image() -> None:
    up = Published("quantiles", FROM, TO, 5_000, quantiles=tuple((p, round(100 * p**2)) for p in REQUIRED_RANKS))
    rows = tuple((1 - p, 100 - score) for p, score in reversed(up.quantiles))
    down = Published("quantiles", FROM, TO, 5_000, quantiles=rows)
    mirrored = linked(down, maximum=100, direction="lower_is_better")
    assert mirrored.knots == linked(up, maximum=100).knots


def test_published_shares_are_normalised() -> None:
    given = Published("bands", FROM, TO, 5_000, bands=((0, 50, 50.0), (50, 101, 49.9)))
    exact = Published("bands", FROM, TO, 5_000, bands=((0, 50, 5_000 / 99.9), (50, 101, 4_990 / 99.9)))
    assert linked(given, maximum=100, cuts=(50,)).knots == linked(exact, maximum=100, cuts=(50,)).knots
    assert linked(given, maximum=100, cuts=(50,)).cuts_r[0] == pytest.approx(r_of_rank(50 / 99.9), abs=0.1)


def test_bands_pass_through_their_cuts_and_bound_by_the_cut_below() -> None:
    scale = a_scale(cuts=(500, 560, 620, 680))
    given = Published("bands", FROM, TO, 1_000_000, bands=grade_bands(scale, (5.0, 20.0, 40.0, 28.0, 7.0)))
    c = build_concordance(given, scale, REFERENCE, version=1, valid_from=VALID)
    assert c.cuts_r == pytest.approx([r_of_rank(p) for p in (0.05, 0.25, 0.65, 0.93)], abs=0.5)
    at_560 = dict(zip((s for s, _ in c.knots), c.bounds, strict=True))[560]
    assert at_560 == pytest.approx((r_of_rank(0.25) - 16.45, r_of_rank(0.65) + 16.45), abs=0.1)
    assert c.ties == ((0, 499), (500, 559), (560, 619), (620, 679), (680, 1000))


def test_cuts_in_r_lie_half_a_step_below_the_cut() -> None:
    c = linked(counted(((10, 300), (50, 400), (60, 300))), maximum=100, step=10, cuts=(50, 60))
    knots = dict(c.knots)
    assert c.cuts_r[1] == pytest.approx((knots[50] + knots[60]) / 2, abs=1e-4)


def test_a_scale_whose_lower_scores_are_better_is_the_mirror_image() -> None:
    rows = ((10, 300), (50, 400), (60, 200), (80, 100))
    up = linked(counted(rows), maximum=100, cuts=(50,))
    down = linked(
        counted(tuple((100 - s, k) for s, k in reversed(rows))), maximum=100, cuts=(50,), direction="lower_is_better"
    )
    assert (down.knots, down.bounds, down.cuts_r) == (up.knots, up.bounds, up.cuts_r)
    assert to_document(down)["knots"][1] == [90, up.knots[1][1]]
    assert from_document(json.loads(json.dumps(to_document(down)))).knots == up.knots


def test_the_reference_needs_counts_or_quantiles() -> None:
    with pytest.raises(ReferenceUnfit):
        build_reference(published("wuxi"), SCALES["wuxi"], valid_from=VALID)


def test_LINK_the_reference_is_never_renormed() -> None:
    with pytest.raises(ReferenceFrozen):
        build_concordance(published("xiamen"), SCALES["xiamen"], REFERENCE, version=2, valid_from=VALID)


def test_a_link_to_a_link_or_a_surer_link_is_a_broken_belief() -> None:
    with pytest.raises(AssertionError):
        build_concordance(published("fuzhou"), SCALES["fuzhou"], concordance("hangzhou"), version=1, valid_from=VALID)
    with pytest.raises(AssertionError):
        build_concordance(published("fuzhou"), SCALES["fuzhou"], REFERENCE, version=1, valid_from=VALID, link_sd=9.9)


@pytest.mark.parametrize("city", [*NUMERIC, "wuxi"])
def test_the_document_survives_storage(city: str) -> None:
    c = concordance(city)
    document = json.loads(json.dumps(to_document(c)))
    again = from_document(document)
    assert again == c
    assert all(getattr(again, name) == getattr(c, name) for name in Concordance.__dataclass_fields__)


def test_the_hash_is_that_of_the_canonical_document() -> None:
    document = to_document(REFERENCE)
    claimed = document.pop("sha256")
    assert hashlib.sha256(canonical_json(document)).hexdigest() == claimed == REFERENCE.sha256
    assert canonical_json({"b": [1, 0.25], "a": "白"}) == '{"a":"白","b":[1,0.25]}'.encode()
    assert b".0," not in canonical_json(document), "whole numbers are written without a fraction"


@pytest.mark.parametrize(
    "change",
    [
        {"n": 7},
        {"link_sd": 1},
        {"sha256": ""},
        {"sha256": "0" * 64},
        {"method": "movers"},
        {"direction": "sideways"},
        {"valid_from": "yesterday"},
        {"knots": [[1]]},
        {"knots": 5},
        {"more": 1},
        {"minimum": "0"},
    ],
)
def test_a_document_that_does_not_match_its_hash_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ConcordanceCorrupt):
        from_document(to_document(concordance("hangzhou")) | change)


def test_a_document_that_lacks_a_field_is_refused() -> None:
    document = to_document(REFERENCE)
    del document["bounds"]
    with pytest.raises(ConcordanceCorrupt):
        from_document(document)


def test_a_record_cannot_be_altered_under_its_hash() -> None:
    with pytest.raises(ConcordanceCorrupt):
        replace(REFERENCE, n=1)
    assert replace(REFERENCE, n=1, sha256="").sha256 != REFERENCE.sha256
