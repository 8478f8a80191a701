"""The catalogue: a few chunks per city, read by one Query per megabyte and kept in memory while it is current."""

from __future__ import annotations

from collections.abc import Mapping

from pynamodb.attributes import UnicodeAttribute

from chalicelib.core import codec, table
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict
from chalicelib.core.table import IntAttribute, Key, Row
from chalicelib.offers.rules.catalogue import CHUNK_MAX_BYTES, CatalogueFull, Chunk, Entry, Found, ready

_A_MEGABYTE_OF_CHUNKS = 100


class _ChunkRow(Row, discriminator="catalogue"):
    document = UnicodeAttribute()
    revision = IntAttribute()


def chunk_key(city_id: str, number: int) -> Key:
    """Where a chunk is: to be fetched with what else a request needs."""
    return Key(f"{city_id}#catalogue", f"{number:03d}")


def chunk_in(rows: Mapping[Key, Row], city_id: str, number: int) -> Chunk:
    """The chunk among fetched rows; an empty one if it was not found."""
    row = rows.get(chunk_key(city_id, number))
    return Chunk(number) if row is None else _chunk(row)


def _chunk(row: Row) -> Chunk:
    assert isinstance(row, _ChunkRow)
    return Chunk(int(row.sk), codec.from_json(dict[str, Entry], row.document), row.revision)


def save_chunk(unit: Unit, city_id: str, chunk: Chunk, *, grows: bool) -> None:
    """Writes a chunk, if nobody else has since it was seen. Taking something off the shelf is never refused for room.

    Raises: CatalogueFull: it grows beyond ``CHUNK_MAX_BYTES``.
    """
    document = codec.to_json(dict(chunk.entries))
    if grows and len(document.encode()) > CHUNK_MAX_BYTES:
        raise CatalogueFull
    row = _ChunkRow(*chunk_key(city_id, chunk.number), document=document, revision=chunk.revision + 1)
    if chunk.revision == 0:
        unit.create(row, Conflict)
    else:
        unit.put(row, _ChunkRow.revision == chunk.revision, Conflict)


@table.kept_few
def load_catalogue(city_id: str, version: int) -> tuple[Found, ...]:
    """A city's catalogue, of this version or a later one, kept in memory by the version that was asked for."""
    assert version >= 0, "catalogues are counted"
    chunks: list[Chunk] = []
    after: str | None = None
    while True:
        rows, after = table.query(_ChunkRow, f"{city_id}#catalogue", limit=_A_MEGABYTE_OF_CHUNKS, after=after)
        chunks += [_chunk(row) for row in rows]
        if after is None:
            return ready(chunks)
