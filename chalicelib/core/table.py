"""The one table: keys, the base of every item, and reads.

Every partition key starts with a city's id, so that a city can leave or live elsewhere. The chart of
keys is ``docs/keys.md``. Each kind of item is a subclass of ``Row`` with a discriminator of its own; a store keeps its
subclasses private.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, NamedTuple, ParamSpec, TypeVar, cast

from botocore.config import Config as ClientConfig
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as Unreachable
from pynamodb.attributes import Attribute, DiscriminatorAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.constants import NUMBER
from pynamodb.exceptions import PynamoDBException
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection

from chalicelib.core import config
from chalicelib.core.items import Item

CONNECT_TIMEOUT_SECONDS = 1
READ_TIMEOUT_SECONDS = 3
MAX_ATTEMPTS = 3
VERSIONS_KEPT = 1024
FEW_KEPT = 16
_BUSY = frozenset(
    {
        "ThrottlingException",
        "TransactionInProgressException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "InternalServerError",
    }
)

P = ParamSpec("P")
T = TypeVar("T")


class Key(NamedTuple):
    """Where an item is: partition and sort key."""

    pk: str
    sk: str


class IntAttribute(Attribute[int]):
    """A whole number; anything else is a broken belief. ``NumberAttribute`` would admit floats."""

    attr_type = NUMBER

    def serialize(self, value: int) -> str:
        """The number as DynamoDB wants it."""
        assert type(value) is int, "only whole numbers are stored here"
        return str(value)

    def deserialize(self, value: str) -> int:
        """The number as Python has it."""
        return int(value)


class Gsi1(GlobalSecondaryIndex["Row"]):  # type: ignore[no-untyped-call]
    """By subject and time: who looked, receipts."""

    class Meta:
        index_name = "gsi1"
        projection = IncludeProjection(["kind", "v", "effect_id", "verb", "actor", "tenant", "at", "purpose"])

    gsi1pk = UnicodeAttribute(hash_key=True)
    gsi1sk = UnicodeAttribute(range_key=True)


class Gsi2(GlobalSecondaryIndex["Row"]):  # type: ignore[no-untyped-call]
    """By tenant and day, and by book and day: the ledger."""

    class Meta:
        index_name = "gsi2"
        projection = IncludeProjection(
            ["kind", "v", "effect_id", "verb", "actor", "tenant", "at", "purpose", "postings"]
        )

    gsi2pk = UnicodeAttribute(hash_key=True)
    gsi2sk = UnicodeAttribute(range_key=True)


class Row(Item):
    """What all items share. ``v`` is the version of the item's own layout."""

    class Meta:
        table_name = config.current().table
        connect_timeout_seconds = CONNECT_TIMEOUT_SECONDS
        read_timeout_seconds = READ_TIMEOUT_SECONDS
        max_retry_attempts = MAX_ATTEMPTS - 1

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    kind = DiscriminatorAttribute()
    v = IntAttribute(default=1)
    expires_at = NumberAttribute(null=True)
    gsi1pk = UnicodeAttribute(null=True)
    gsi1sk = UnicodeAttribute(null=True)
    gsi2pk = UnicodeAttribute(null=True)
    gsi2sk = UnicodeAttribute(null=True)
    gsi1 = Gsi1()
    gsi2 = Gsi2()

    @property
    def key(self) -> Key:
        """Where this item is."""
        return Key(self.pk, self.sk)


RowT = TypeVar("RowT", bound=Row)


@lru_cache(maxsize=1)
def connection() -> Connection:
    """The process's one connection and client, shared by every kind of item: a client costs a third of a cold start.

    botocore rebuilds its user agent for every call unless one is given; giving it saves a quarter of a call's CPU.
    """
    made = Row._get_connection().connection
    made.session.set_default_client_config(ClientConfig(user_agent="egret"))
    fix_endpoint(made.client)
    return made


def fix_endpoint(client: Any) -> None:
    """Makes a client send every call to the endpoint that it has.

    botocore works it out for every call by rules, and looks through what is asked for the ARN of a table; what comes
    out is the same every time. A client without rules, as those of services that have none, takes its own: a tenth of
    a call's CPU.
    """
    assert hasattr(client, "_ruleset_resolver"), "botocore keeps the rules of endpoints elsewhere now"
    client._ruleset_resolver = None


def forget_connections() -> None:
    """Makes the next call connect anew and read everything anew (after an endpoint has changed, in tests)."""
    connection.cache_clear()
    Row._connection = None
    for clear in _memories:
        clear()


_memories: list[Callable[[], None]] = []


def kept(load: Callable[P, T]) -> Callable[P, T]:
    """A reader of immutable items that keeps the ``VERSIONS_KEPT`` last used ones in memory."""
    return _kept(load, VERSIONS_KEPT)


def kept_few(load: Callable[P, T]) -> Callable[P, T]:
    """A reader of what is large: keeps the ``FEW_KEPT`` last used ones in memory."""
    return _kept(load, FEW_KEPT)


def _kept(load: Callable[P, T], most: int) -> Callable[P, T]:
    keeping = lru_cache(maxsize=most)(load)
    _memories.append(keeping.cache_clear)
    return cast("Callable[P, T]", keeping)


def is_passing(error: BaseException) -> bool:
    """Whether an error means that the database could not be reached or was too busy: trying again may help."""
    cause = error.cause if isinstance(error, PynamoDBException) else None
    if isinstance(cause, ClientError):
        return cause.response.get("Error", {}).get("Code") in _BUSY
    return isinstance(cause, HTTPClientError | Unreachable)


def fetch(keys: Iterable[Key]) -> dict[Key, Row]:
    """The items at these keys, strongly consistent, in one BatchGetItem per 100; absent ones are left out."""
    connection()
    return {row.key: row for row in Row.batch_get(set(keys), consistent_read=True)}


def get(row_class: type[RowT], key: Key) -> RowT | None:
    """One item, strongly consistent; None if absent."""
    connection()
    try:
        return row_class.get(key.pk, key.sk, consistent_read=True)
    except row_class.DoesNotExist:
        return None


def query(
    row_class: type[RowT],
    pk: str,
    range_condition: Condition | None = None,
    *,
    limit: int,
    after: str | None = None,
    descending: bool = False,
) -> tuple[list[RowT], str | None]:
    """One page of a partition: its items in key order, and the sort key to go on after (None at the end)."""
    connection()
    start = {"pk": {"S": pk}, "sk": {"S": after}} if after else None
    found = row_class.query(
        pk,
        range_condition,
        consistent_read=True,
        scan_index_forward=not descending,
        limit=limit,
        page_size=limit,
        last_evaluated_key=start,
    )
    rows = list(found)
    last = found.last_evaluated_key
    return rows, (last["sk"]["S"] if last else None)


def query_gsi1(
    row_class: type[RowT], gsi1pk: str, *, limit: int, after: dict[str, Any] | None = None
) -> tuple[list[RowT], dict[str, Any] | None]:
    """One page of a subject's items, newest first, and the position to go on after (None at the end)."""
    connection()
    found = row_class.gsi1.query(
        gsi1pk, scan_index_forward=False, limit=limit, page_size=limit, last_evaluated_key=after
    )
    rows = [row for row in found if isinstance(row, row_class)]
    return rows, found.last_evaluated_key


def query_gsi2(
    row_class: type[RowT], gsi2pk: str, range_condition: Condition, *, limit: int, after: dict[str, Any] | None = None
) -> tuple[list[RowT], dict[str, Any] | None]:
    """One page of a tenant's or a book's items, oldest first, and the position to go on after (None at the end)."""
    connection()
    found = row_class.gsi2.query(gsi2pk, range_condition, limit=limit, page_size=limit, last_evaluated_key=after)
    rows = [row for row in found if isinstance(row, row_class)]
    return rows, found.last_evaluated_key
