"""Credit records: what a city keeps of a person's broken promises, for how long, and how it is repaired.

A record says whose promise it was and how it was broken, and nothing about the person but that. Another domain appends
it, by an id that follows from what happened, so that it is appended once however often that is noticed. The city alone
repairs it, and says why. Who reads records reads the living ones: scores, and whoever is asked about the person.

How one lives::

    live → repaired (by the city, with its reason),   live → over (its years are over; derived from the clock)

It is kept as long as the dated rule of the person's city says, counted from the day on which it became certain. Where
the law wants it deleted then, the item goes, too; elsewhere it stays in the archive and counts for nothing.

Sources: NDRC Order 36 (信用修复管理办法, in force from 2026-04-01: repair is a right; what is repaired is shared and
used no more); for periods, each rule in ``data/retention.json`` has its own.
"""
