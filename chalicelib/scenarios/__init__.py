"""Scenarios: who gets which benefit, decided from facts and a dated table, with every reason and a receipt.

A **tier table** is one version of one city's scenario (a library, roadside parking, a medical credit line). It has a
city-wide area, areas of single districts that *replace* it there, or both. An area has tiers, lowest first, each with
a condition and a benefit, and says what anyone gets ``without`` a score.

How a table lives::

    authored ── parse_table ── lint ──(no error)── published ── in force: valid_from ≤ day < valid_to
                    │            │
              table-invalid   findings, each one sentence at one place

How it decides::

    TierTable + Scale ── compile_table ── CompiledTable ┐
    Facts: day, district, standing, attributes          ├─ decide ── Decision ── explain │ trace
    standing: resident · linked · by grade · none       ┘

What stays true (ids of ``docs/invariants.md``):

REWARD   in a table without lint errors a better score is never worse off, and nobody is worse off than without one
REPLAY   the same facts and the same table give the same receipt, byte for byte
MINIMAL  what a partner reads is a function of the tiers reached: no distance, no reason that tells the score

Sources: the published scenarios of Xiamen in ``data`` (each names its own); 征信业管理条例 art. 14 (facts that may not
be asked); 个人信息保护法 art. 24 (an automated decision is explained).
"""
