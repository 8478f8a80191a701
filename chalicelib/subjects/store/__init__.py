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
    ref_of,
    score_order,
    update_guarded,
)
from chalicelib.subjects.store.identities import create_person, index_key, person_in
from chalicelib.subjects.store.passes import count_pass, kept_until, use_pass
from chalicelib.subjects.store.wards import check_ward, list_wards, save_ward, ward_in, ward_key

__all__ = [
    "AccountRow",
    "account_in",
    "account_key",
    "account_pk",
    "check_guard",
    "check_guard_seen",
    "check_ward",
    "count_pass",
    "create_account",
    "create_person",
    "index_key",
    "kept_until",
    "list_wards",
    "load_account",
    "person_in",
    "ref_of",
    "save_ward",
    "score_order",
    "update_guarded",
    "use_pass",
    "ward_in",
    "ward_key",
]
