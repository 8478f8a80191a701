from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.cities.rules import Scale
from chalicelib.core import schema
from chalicelib.scenarios.rules import (
    Decision,
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
from chalicelib.scenarios.rules.compiled import FactNode
from tests.property.scenarios.drafts import (
    FACTS,
    ON,
    goodness,
    is_worse,
    orderly,
    resident_of,
    unscored,
    wild,
)

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
def test_the_next_tier_is_the_nearest_score_at_which_more_is_given(
    draft: Draft, known: dict[str, bool], resident: bool
) -> None:
    document, scale = draft
    compiled = compile_table(parse_table(document), scale)
    plain = {tier.tier_id for tier in compiled.areas[None].tiers if not tier.benefit}
    people = {score: resident_of(compiled, score, known, resident) for score in goodness(scale)}

    def better(one: Decision, than: Decision) -> bool:
        """Written out once more: another tier counts, nothing is worse, and something is better or not told here."""
        new = set(one.tier_ids) - set(than.tier_ids)
        more = is_worse(than.benefit, one.benefit) or bool(new & plain)
        return bool(new) and more and not is_worse(one.benefit, than.benefit)

    for score, decision in people.items():
        step = decision.next_tier
        found = next((there for there in people if there > score and better(people[there], decision)), None)
        if found is not None:
            assert step is not None
            assert (decision.missing_points, step.facts_too) == (found - score, False)
            assert step.gives == people[found].benefit
            assert step.tier_id in set(people[found].tier_ids) - set(decision.tier_ids)
        elif step is not None and step.threshold is not None and step.threshold <= scale.maximum:
            assert step.facts_too


@settings(max_examples=60, deadline=None)
@given(DRAFTS, KNOWN, st.booleans())
def test_the_next_tier_by_facts_gives_what_the_person_with_those_facts_is_given(
    draft: Draft, known: dict[str, bool], resident: bool
) -> None:
    document, scale = draft
    compiled = compile_table(parse_table(document), scale)
    leaves = {tier.tier_id: tier.leaves for tier in compiled.areas[None].tiers}
    for score in goodness(scale):
        step = resident_of(compiled, score, known, resident).next_tier
        if step is None or not step.facts_too or (step.threshold or 0) > scale.maximum:
            continue
        climbed = max(score, step.threshold or 0)
        ways = []
        for found in leaves.values():
            named = [leaf.name for leaf in found if isinstance(leaf, FactNode)]
            granted = known | {name: True for name in named if name is not None}
            there = resident_of(compiled, climbed, granted, resident or None in named)
            ways.append((step.tier_id in there.tier_ids, there.benefit))
        assert (True, step.gives) in ways


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
def test_REWARD_a_grade_is_given_what_its_lowest_score_is_given(
    draft: Draft, known: dict[str, bool], start: int, width: int
) -> None:
    document, scale = draft
    compiled = compile_table(parse_table(document), scale)
    low, high = scale.minimum + start * scale.step, scale.minimum + (start + width) * scale.step
    vague = decide(compiled, Facts(ON, None, GradeStanding(low, high), known, False))
    exact = [
        decide(compiled, Facts(ON, None, ResidentStanding(score), known, False))
        for score in range(low, min(high, scale.maximum + 1), scale.step)
    ]
    assert (vague.tier_ids, vague.benefit) == (exact[0].tier_ids, exact[0].benefit)
    for index, hazy in enumerate(vague.reasons):
        verdicts = [sharp.reasons[index].verdict for sharp in exact]
        assert (hazy.verdict is True) == (verdicts[0] is True)
        assert hazy.verdict is not False or set(verdicts) == {False}


@settings(max_examples=60, deadline=None)
@given(DRAFTS, KNOWN)
def test_a_suspension_leaves_what_anyone_has(draft: Draft, known: dict[str, bool]) -> None:
    document, scale = draft
    compiled = compile_table(parse_table(document), scale)
    decision = decide(compiled, Facts(ON, None, NoStanding("suspended"), known, True))
    assert (decision.outcome, decision.tier_ids) == ("refused", ())
    assert decision.benefit == compiled.areas[None].without
