"""The ledger: who owes whom what, to the fen, in double entry.

An entry is what one effect posts: amounts to accounts that sum to zero in every asset. It is part of the effect's own
item, written with it and never without it, listed in one book by day, and never changed: what was wrong or is given
back is reversed by another entry, whole or in parts, and never beyond what was posted.

No balance is kept anywhere. A balance is the sum of the postings before an instant, so it can be had for any past one,
and no item is written by everybody.

An entry: posted; partly or wholly reversed by later ones.

Source: Pacioli, Summa de arithmetica (1494), the rule that debits equal credits; the export is read by beancount.
"""
