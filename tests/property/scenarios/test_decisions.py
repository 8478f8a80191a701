from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.cities.rules import Scale
from chalicelib.core import schema
from chalicelib.scenarios.rules import (
    Facts,
    GradeStanding,
    LinkedStanding,
    NoStanding,
    PartnerView,
    ResidentStanding,
    compile_table,
    decide,
    explain,
    parse_table,
    to_document,
    trace,
)
from tests.property.scenarios.drafts import FACTS, ON, as_cumulative, goodness, orderly, resident_of, unscored, wild

DRAFTS = st.one_of(wild(), orderly())
KNOWN = st.dictionaries(st.sampled_from(FACTS), st.booleans())
Draft = tuple[dict[str, Any], Scale]


@settings(max_examples=100, deadline=None)
@given(DRAFTS)
def test_a_table_reads_back_and_fits_the_schema(draft: Draft) -> None:
    document, _ = draft
    schema.validate("scenarios/table.json", document)
    table = parse_table(document)
    assert to_document(table) == document
    assert parse_table(to_document(table)) == table


@settings(max_examples=60, deadline=None)
@given(DRAFTS, KNOWN, st.booleans())
def test_REPLAY_a_table_stored_and_read_again_gives_the_same_bytes(
    draft: Draft, known: dict[str, bool], resident: bool
) -> None:
    document, scale = draft
    first = compile_table(parse_table(document), scale)
    stored = json.loads(json.dumps(document, sort_keys=True))
    for score in goodness(scale):
        again = compile_table(parse_table(stored), scale)
        one, two = resident_of(first, score, known, resident), resident_of(again, score, dict(known), resident)
        assert trace(one) == trace(two)


@settings(max_examples=60, deadline=None)
@given(DRAFTS, KNOWN, st.booleans())
def test_MINIMAL_a_partner_cannot_tell_two_people_of_one_tier_apart(
    draft: Draft, known: dict[str, bool], resident: bool
) -> None:
    document, scale = draft
    compiled = compile_table(parse_table(document), scale)
    told: defaultdict[tuple[str, ...], list[PartnerView]] = defaultdict(list)
    people = [resident_of(compiled, score, known, resident) for score in goodness(scale)]
    for decision in [*people, unscored(compiled, known, resident)]:
        told[decision.tier_ids].append(explain(decision, "partner"))
    for views in told.values():
        assert all(view == views[0] for view in views)


@settings(max_examples=60, deadline=None)
@given(DRAFTS, KNOWN, st.booleans())
def test_the_distance_to_the_next_tier_is_exact(draft: Draft, known: dict[str, bool], resident: bool) -> None:
    document, scale = draft
    compiled = compile_table(parse_table(document), scale)

    twin = as_cumulative(compiled.table, scale)

    def holds(score: int, tier_id: str) -> bool:
        return tier_id in resident_of(twin, score, known, resident).tier_ids

    for score in goodness(scale):
        decision = resident_of(compiled, score, known, resident)
        step, missing = decision.next_tier, decision.missing_points
        if step is None or step.facts_too:
            continue
        assert missing is not None
        if score + missing > scale.maximum:
            continue
        assert holds(score + missing, step.tier_id)
        assert not any(holds(nearer, step.tier_id) for nearer in range(score, score + missing, scale.step))


@settings(max_examples=60, deadline=None)
@given(DRAFTS, KNOWN, st.booleans())
def test_a_visitor_is_treated_like_a_resident_with_what_his_score_is_worth(
    draft: Draft, known: dict[str, bool], resident: bool
) -> None:
    document, scale = draft
    compiled = compile_table(parse_table(document), scale)
    for worth in goodness(scale):
        linked = LinkedStanding(7, lambda threshold, worth=worth: worth >= threshold, lambda _: None)  # type: ignore[misc]
        visitor = decide(compiled, Facts(ON, None, linked, known, resident))
        assert visitor[2:] == resident_of(compiled, worth, known, resident)[2:]


@settings(max_examples=60, deadline=None)
@given(DRAFTS, KNOWN, st.integers(0, 19), st.integers(1, 20))
def test_what_is_known_of_a_grade_is_true_of_every_score_in_it(
    draft: Draft, known: dict[str, bool], start: int, width: int
) -> None:
    document, scale = draft
    compiled = compile_table(parse_table(document), scale)
    low, high = scale.minimum + start * scale.step, scale.minimum + (start + width) * scale.step
    vague = decide(compiled, Facts(ON, None, GradeStanding(low, high), known, False))
    for score in range(low, min(high, scale.maximum + 1), scale.step):
        exact = decide(compiled, Facts(ON, None, ResidentStanding(score), known, False))
        for hazy, sharp in zip(vague.reasons, exact.reasons, strict=True):
            assert hazy.verdict in (None, sharp.verdict)


@settings(max_examples=60, deadline=None)
@given(DRAFTS, KNOWN)
def test_a_suspension_leaves_what_anyone_has(draft: Draft, known: dict[str, bool]) -> None:
    document, scale = draft
    compiled = compile_table(parse_table(document), scale)
    decision = decide(compiled, Facts(ON, None, NoStanding("suspended"), known, True))
    assert (decision.outcome, decision.tier_ids) == ("refused", ())
    assert decision.benefit == compiled.areas[None].without
