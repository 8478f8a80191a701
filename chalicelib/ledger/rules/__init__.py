"""What is right about the ledger."""

from chalicelib.ledger.rules.accounts import (
    CHART,
    OWN_KINDS,
    Account,
    Nature,
    Party,
    Role,
    is_party,
    parse_account,
    parse_party,
)
from chalicelib.ledger.rules.balances import Holding, TrialBalance, TrialLine, balances, trial_balance
from chalicelib.ledger.rules.entries import (
    MOST_POSTINGS,
    Entry,
    Posting,
    check_entry,
    combined,
    negated,
    remaining,
    reversal,
)
from chalicelib.ledger.rules.export import CSV_COLUMNS, amount_text, beancount_account, beancount_lines, csv_lines

__all__ = [
    "CHART",
    "CSV_COLUMNS",
    "MOST_POSTINGS",
    "OWN_KINDS",
    "Account",
    "Entry",
    "Holding",
    "Nature",
    "Party",
    "Posting",
    "Role",
    "TrialBalance",
    "TrialLine",
    "amount_text",
    "balances",
    "beancount_account",
    "beancount_lines",
    "check_entry",
    "combined",
    "csv_lines",
    "is_party",
    "negated",
    "parse_account",
    "parse_party",
    "remaining",
    "reversal",
    "trial_balance",
]
