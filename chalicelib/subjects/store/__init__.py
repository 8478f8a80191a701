"""What is remembered of citizens. Keys: ``docs/keys.md`` § subjects."""

from chalicelib.subjects.store.accounts import (
    AccountRow,
    account_in,
    account_key,
    account_pk,
    check_guard,
    check_guard_seen,
    create_account,
    load_account,
    score_order,
    update_guarded,
)
from chalicelib.subjects.store.identities import create_person, index_key, person_in
from chalicelib.subjects.store.passes import count_pass, kept_until, use_pass

__all__ = [
    "AccountRow",
    "account_in",
    "account_key",
    "account_pk",
    "check_guard",
    "check_guard_seen",
    "count_pass",
    "create_account",
    "create_person",
    "index_key",
    "kept_until",
    "load_account",
    "person_in",
    "score_order",
    "update_guarded",
    "use_pass",
]
