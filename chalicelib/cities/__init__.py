"""The alliance: which cities there are, how each one scores, and what they have agreed on.

The alliance admits a city; the city publishes its score scale, version by version; two cities sign a recognition
agreement, which the host proposes and which is in force once both have signed. What every request must know of a city
(its versions in force, its agreements, its suspended partners, whether it takes part at all) sits in one small
control item that is read with the citizen's account.

A city:       active ⇄ suspended
An agreement: proposed → signed (by both) → ended

Sources: facts on the cities' scales are cited on each scale's ``source``.
"""
