"""Medical credit: a good score lets a patient be treated first and pay later, free of interest for some weeks.

A bank publishes a **policy**: which scenario's tiers give the limits, up to which ceiling, for how many days without
interest, at what rate after that, in which hospitals. A citizen opens a **line** with it. A hospital's **visit** sets
an estimate aside (a hold), raises it by further holds, and captures item by item what insurance has left over; each
capture is a **charge** with its own due day and with the terms of its hold. A **statement** a month says what was
charged, refunded, repaid and owed. Who does not pay after a reminder is suspended, and restored the moment he pays.

How each lives::

    policy   draft ⇄ review → approved; in force on its days, ended by the clock, by the next version or by the bank
    line     open ⇄ suspended (one or several causes, each lifted by itself) → closed
    visit    open → settled, or cancelled; an item: entered → insurance settled → captured → partly or wholly refunded
    charge   owed → due → overdue → cleared, or written off (what is owed then is still owed, without further interest)
    instruction to the bank's core   queued → sent → accepted or refused; unknown → asked again, or reconciled
    review   open ⇄ forwarded to the city → upheld, corrected or withdrawn

Where things are, by the same names in every room::

    policies      policy, linting, lifecycle, heads, tryout, plot_what_if, rates, desk
    lines         limits, credit, line_views, exposure, grounds, lending, booking, pulling, own_lines, owning
    hospitals     holding, placing; visits, items, drawing, payers, visiting, itemising, paying
    bills         events, charges, billing, statements, posting, charging, refunding, repaying, stating
    their days    overdue, followups, appointments, following, standing; regrading after a new score
    the bank      instructions, outbox, calling, sending, collecting, reconciling, closing
    people        reviews, reviewing, answering; kept, receipts: what an auditor works out again

What stays true (ids of ``docs/invariants.md``)::

LIMIT    posted + held ≤ limit whenever something is added; a hold ends once; captured ≤ held; what was given can be
         captured whatever has changed; the principal of all charges is what is posted on the line; no
         shard of a bank's exposure grows beyond its part of the cap
REWARD   a policy is linted with its scenario: a better score never has a lower limit, and nobody with one has less
         than somebody without
LEDGER   a payment goes to fees, interest and principal to the fen; a statement's opening, movements and interest add
         up to its closing

No interest within the free days; it is simple, counted in whole days, and rounded once per charge and calendar month;
a later policy makes no charge dearer.

Sources: 信用就医 in Xiamen (厦门日报, Dec 2022: 42 days without interest; 500 to 3,000 yuan by score; unpaid after a
reminder, all benefits of the score are suspended; three defaults in a row touch the score); 民法典 art. 560 and 561
(which debt a payment goes to; costs, then interest, then principal).
"""
