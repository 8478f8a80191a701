"""The account item.

It is at most 4 KB: it is read with every request and a condition on it costs by its size. Who is overdue with several
banks whose names are long, and has as many consents as there may be, has a little more: that costs, and is not refused.
A consent is kept in 35 characters beside its name: the grant's own part of its effect id (26), the expiry in seconds (8
hexadecimal digits) and a bit per item (1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import get_args

from pynamodb.attributes import UnicodeAttribute

from chalicelib.core import clock, codec, table
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict, Problem
from chalicelib.core.table import IntAttribute, Key, Row
from chalicelib.subjects.rules import Account, AccountRef, ConsentBrief, ConsentItem, ConsentsFull, HeldScore

CONSENTS_MAX_BYTES = 3600
_BITS: Mapping[ConsentItem, int] = {item: 1 << position for position, item in enumerate(get_args(ConsentItem))}
_GRANT_CHARS = 26


class AccountRow(Row, discriminator="account"):
    """An account. Scores stores write its score attributes, and nothing else."""

    status = UnicodeAttribute()
    enrolled_at = UnicodeAttribute()
    guard = IntAttribute()
    consents = UnicodeAttribute()
    suspensions = UnicodeAttribute()
    score = IntAttribute(null=True)
    score_scale = IntAttribute(null=True)
    score_order = UnicodeAttribute(null=True)


def account_key(ref: AccountRef) -> Key:
    """Where an account is: to be fetched with what else a request needs."""
    return Key(account_pk(ref), "account")


def account_pk(ref: AccountRef) -> str:
    """The partition of everything that belongs to one account."""
    return f"{ref.city_id}#account#{ref.person_id}"


def account_in(rows: Mapping[Key, Row], ref: AccountRef) -> Account | None:
    """The account among fetched rows; None if it was not found."""
    row = rows.get(account_key(ref))
    if row is None:
        return None
    assert isinstance(row, AccountRow)
    return Account(
        ref,
        clock.unstamp(row.enrolled_at),
        "active" if row.status == "active" else "closed",
        row.guard,
        _score(row),
        _unpacked(ref.city_id, row.consents),
        codec.from_json(dict[str, datetime], row.suspensions),
    )


def ref_of(row: AccountRow) -> AccountRef:
    """Whose account an item is."""
    city_id, _, person_id = row.pk.split("#", 2)
    return AccountRef(city_id, person_id)


def load_account(ref: AccountRef) -> Account | None:
    """An account, strongly consistent; None if absent."""
    return account_in(table.fetch([account_key(ref)]), ref)


def score_order(as_of: datetime, revision: int) -> str:
    """Text that sorts as (as of, revision): the later one overwrites."""
    return f"{clock.stamp(as_of)}#{revision:06d}"


def _score(row: AccountRow) -> HeldScore | None:
    if row.score is None or row.score_order is None or row.score_scale is None:
        return None
    as_of, _, revision = row.score_order.partition("#")
    return HeldScore(row.score, row.score_scale, clock.unstamp(as_of), int(revision))


def create_account(unit: Unit, account: Account, otherwise: Callable[[], Problem] = Conflict) -> None:
    """Adds an account; a second one of the same person in the same city is refused."""
    row = AccountRow(
        *account_key(account.ref),
        status=account.status,
        enrolled_at=clock.stamp(account.enrolled_at),
        guard=account.guard,
        consents=_packed(account),
        suspensions=codec.canonical(account.suspensions),
    )
    unit.create(row, otherwise)


def update_guarded(unit: Unit, account: Account, otherwise: Callable[[], Problem] = Conflict) -> None:
    """Writes consents, suspensions and status of an account whose guard is still the one that was seen.

    Raises: ConsentsFull: the consents would exceed ``CONSENTS_MAX_BYTES``.
    """
    unit.update(
        AccountRow(*account_key(account.ref)),
        [
            AccountRow.status.set(account.status),
            AccountRow.guard.set(account.guard + 1),
            AccountRow.consents.set(_packed(account)),
            AccountRow.suspensions.set(codec.canonical(account.suspensions)),
        ],
        AccountRow.guard == account.guard,
        otherwise,
    )


def check_guard(unit: Unit, account: Account, otherwise: Callable[[], Problem]) -> None:
    """Commit only if no consent, suspension or status of the account has changed since it was read."""
    check_guard_seen(unit, account.ref, account.guard, otherwise)


def check_guard_seen(unit: Unit, ref: AccountRef, guard: int, otherwise: Callable[[], Problem]) -> None:
    """Commit only if the account's guard is still the one that was seen, be it by an earlier request."""
    unit.check(AccountRow, account_key(ref), AccountRow.guard == guard, otherwise)


def _packed(account: Account) -> str:
    text = codec.canonical({key: _pack(account.ref.city_id, brief) for key, brief in account.consents.items()})
    if len(text.encode()) > CONSENTS_MAX_BYTES:
        raise ConsentsFull
    return text


def _pack(city_id: str, brief: ConsentBrief) -> str:
    grant = brief.grant_id.removeprefix(city_id + ".")
    assert len(grant) == _GRANT_CHARS, "a consent is granted under the citizen's own city"
    return f"{grant}{int(brief.expires_at.timestamp()):08x}{sum(_BITS[item] for item in brief.items):x}"


def _unpacked(city_id: str, text: str) -> dict[str, ConsentBrief]:
    return {key: _unpack(city_id, packed) for key, packed in codec.from_json(dict[str, str], text).items()}


def _unpack(city_id: str, packed: str) -> ConsentBrief:
    grant, expiry, bits = packed[:_GRANT_CHARS], packed[_GRANT_CHARS:-1], int(packed[-1], 16)
    items = tuple(item for item, bit in _BITS.items() if bits & bit)
    return ConsentBrief(f"{city_id}.{grant}", datetime.fromtimestamp(int(expiry, 16), UTC), items)
