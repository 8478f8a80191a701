"""Scores: a city reports them, an account holds the latest, a history keeps the latest of every month.

A report is a score on a version of the city's scale, ``as_of`` an instant, with a ``revision`` for corrections. The
pair (as of, revision) is the report's *order*, and all there is to concurrency: the greater order stays, whatever
the order of arrival. That makes a report its own idempotency record; see
``docs/decisions/score-push-is-idempotent-by-itself.md``.

What becomes of a report:  stored | unchanged (held already) | outdated (a later one is held) | conflict | refused
An import (of a file):     open → finished

Invariants (ids as in the names of the tests)
    ONCE     the same reports in any order, any number of times, end in the same account and the same history.
    MINIMAL  a score leaves only in replies that declare it; no refusal repeats what was sent, no list of refused rows
             holds a row's content.

A city's look at one person's score is an effect of its own, so that the person can see who looked.
"""
