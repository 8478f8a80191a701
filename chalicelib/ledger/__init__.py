"""The ledger: who owes whom what, to the fen, in double entry.

An entry is what one effect posts: amounts to accounts that sum to zero in every asset. It is part of the effect's own
item, written with it and never without it, listed in one book by day, and never changed: what was wrong or is given
back is reversed by another entry, whole or in parts, and never beyond what was posted.

No balance is kept anywhere. A balance is the sum of the postings before an instant, so it can be had for any past one,
and no item is written by everybody.

A statement says what a partner's book says of one day of its city: a line per entry, with what each funder owes, sums,
opening and closing balance. Every entry has one line, in one statement; what shows up late is stated with the next day
and marked with its own. Heads form a chain, are signed, and can be made again from the entries byte for byte.

An entry: posted; partly or wholly reversed by later ones.
A day: open → over → (being closed) → closed, in the order of days and for good.

Source: Pacioli, Summa de arithmetica (1494), the rule that debits equal credits; the export is read by beancount.
"""
