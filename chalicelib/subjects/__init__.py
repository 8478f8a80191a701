"""The citizen: enrolment, account, consents, passes, suspensions, who looked.

A person is enrolled once per city. Enrolment is a function of its own: it alone may compute the keyed digest of an
identity document, finds or draws the person's random id by it, and forgets the number. Everything a request needs of a
person is in one account item. Each institution knows him by an id of its own, which is sealed, not stored.

A consent: granted → live → expired | withdrawn | replaced by a later one for the same scenario and recipient
A pass:    shown → used once, or expired after two minutes
A suspension: in force ⇄ lifted

CONSENT: no use of a score without a live consent for that scenario and recipient. Each change to consents,
suspensions or status raises the account's guard, and whoever relied on them writes only if the guard still stands.
MINIMAL: the document's number is in no item, log line or error; the person's id in no reply.

Sources: PIPL art. 15 (withdrawal as easy as consent), 23 (separate consent per recipient), 28 and 31 (minors);
GB 11643-1999 (citizen identity numbers).
"""
