"""Linking: what one city's score means in another, and how sure that is.

A *concordance* links similar scores; it is not an equating, so every result says how it was earned. Each version of a
city has one table between its scores and the reference value R; cities are compared in R only: N tables, not N².

    R = 500 + 100·Φ⁻¹(p)      p: half-point percentile rank in the founding city's first version, which stays frozen

What a city publishes, and what that earns (``method``, recorded in every result):

    counts            equipercentile_counts       number with bounds, link_sd ≥ 10 R
    quantiles (105)   equipercentile_quantiles    number with bounds, link_sd ≥ 10 R
    bands             bands                       number; its bound is the cut below
    cuts              grade_policy                a grade by signed policy, never a number
    range             refused

States of a concordance: built → in force from ``valid_from`` → superseded. A version never changes; its ``sha256`` is
that of its canonical document and is verified whenever a record comes into being.

Invariants (ids as in the names of the tests)
    LINK     conversion is monotone, symmetric within rounding, transitive, and never numeric where the data do not
             support it; lower ≤ point ≤ upper; the score shown and the tier decided come from one comparison in R.
    MINIMAL  R, percentile and equivalent invert to the score and are as secret: across a border goes only yes or no.

Sources: Kolen & Brennan, Test Equating, Scaling, and Linking (3rd ed., 2014), ch. 2, 7 and 10; Dorans, Pommerich &
Holland, Linking and Aligning Scores and Scales (2007); Lord, J. Educational Statistics 7 (1982), standard error of
equipercentile equating.
"""
