"""The dense and the sparse reading of a table, against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from chalicelib.linking.rules import convert
from chalicelib.linking.rules.reading import curve_for
from tests.unit.linking.demo import NUMERIC, SCALES, concordance


@pytest.mark.parametrize("home", NUMERIC)
@pytest.mark.parametrize("host", NUMERIC)
def test_a_chain_of_two_numpy_interpolations_gives_the_same_bits(home: str, host: str) -> None:
    here, there = curve_for(concordance(home)), curve_for(concordance(host))
    held = {s for knot, last in here.held for s in range(knot + 1, last + 1)}
    scores = [s for s in range(SCALES[home].minimum, SCALES[home].maximum + 1) if s not in held]
    r = np.interp(scores, here.scores, here.values)
    equivalents = np.interp(r, there.values, there.scores).tolist()
    results = [convert(s, concordance(home), SCALES[home], concordance(host), SCALES[host]) for s in scores]
    assert [c.reference_value for c in results] == r.tolist()
    if home != host:
        assert [c.equivalent for c in results] == equivalents


def test_observed_ends_and_what_lies_beyond() -> None:
    curve = curve_for(concordance("zhengzhou"))
    assert curve.observed() == (81.41, 894.5)
    assert curve.beyond(80.0) == (True, False)
    assert curve.beyond(500.0) == (False, False)
    assert curve.beyond(900.0) == (False, True)
