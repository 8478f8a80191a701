"""The marketplace: what merchants sell, what a good score takes off the price, and what is left of it.

An **offer** is one immutable version of products and prices under one scenario of its city: whose consent it needs,
whose agreements let visitors in, whose table or grades give its tiers. A **quote** pins version, tier, price and
reasons for 15 minutes; a **redemption** takes stock, budget and the person's quota in one write; a **refund** gives
back the stored parts, line by line.

How an offer lives (``scheduled`` becomes ``live``, and anything open ends, by the clock alone)::

    draft ⇄ review → approved → scheduled → live ⇄ paused → ended
               │                     └── the city may stop it: stopped → paused
             linter

How a price comes about::

    scenario's table + offer ── compile_offer ── CompiledOffer ┐
    Facts ─────────────────────────────────────── decide ──────┴─ tier_of ── price_basket ── lines, steps, reasons

What stays true (ids of ``docs/invariants.md``):

LIMIT    of every counter avail + held + redeemed = cap; nobody has more than his quota; expiry restores once, no job
REWARD   nobody pays more than the list price; in an offer without lint errors a better score never pays more
LEDGER   the funded parts of a line add up to its discount, and the parts of its refunds to the line, to the fen
MINIMAL  what a merchant is told of a score is a function of the tier that is paid by

Sources: 集美信用购 (厦门日报, Dec 2022: up to half price by credit level); 个人信息保护法 art. 24 (no unreasonable
difference in price: a tier only lowers it).
"""
