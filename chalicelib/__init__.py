"""Egret (白鹭): a citizen's credit score, what it means in another city, and what it opens.

Rooms, lowest first; each imports only from those above it in this list:

core        what every domain stands on
cities      the alliance: scales, grades, districts, recognition agreements
partners    merchants, banks, hospitals, operators, libraries
ledger      double entry: postings, balances, exports
linking     one city's score on another city's scale, and how sure that is
subjects    the citizen's account: enrolment, consents, passes, who looked
scores      pushes, imports, history
scenarios   tier tables, decisions, receipts
offers      the marketplace: its rules so far
"""
