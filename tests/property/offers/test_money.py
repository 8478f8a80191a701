"""LEDGER for offers: what is funded adds up to the discount, and refunds in any pieces add up to the line."""

from __future__ import annotations

from collections import Counter as Tally

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.offers.rules import (
    Home,
    Imported,
    Line,
    OfferTier,
    RefundedPart,
    check_offer,
    decoded,
    price_line,
    read_drafts,
    refund_line,
    write_drafts,
)
from chalicelib.offers.rules.csv_text import meant, neutral
from tests.property.offers.wares import PRICES, any_offers, funding, shop, ware


@st.composite
def lines(draw: st.DrawFn) -> Line:
    variant = ware(0, draw(PRICES))
    tier = draw(
        st.one_of(
            st.none(),
            st.integers(1, 9_999).map(lambda bp: OfferTier("A", bp)),
            st.integers(1, variant.price_fen).map(lambda fen: OfferTier("A", None, {"v-0": fen})),
        )
    )
    return price_line(
        shop((variant,), (OfferTier("A", 1),), funding=draw(funding())), "v-0", draw(st.integers(1, 40)), tier
    )


@settings(max_examples=200, deadline=None)
@given(lines())
def test_LEDGER_a_line_adds_up(line: Line) -> None:
    assert line.payable_fen + line.discount_fen == line.list_fen
    assert min(line.payable_fen, line.discount_fen, *(part.fen for part in line.funding), 0) == 0
    assert sum(part.fen for part in line.funding) == line.discount_fen


def added(parts: list[RefundedPart]) -> tuple[int, int, Tally[tuple[str, str | None]]]:
    borne: Tally[tuple[str, str | None]] = Tally()
    for part in parts:
        borne.update({(who, bank): fen for who, fen, bank in part.funding})
    return sum(part.payable_fen for part in parts), sum(part.discount_fen for part in parts), borne


def in_pieces(line: Line, pieces: list[int]) -> list[RefundedPart]:
    before, parts = 0, []
    for units in pieces:
        parts.append(refund_line(line, before, units))
        before += units
    return parts


@settings(max_examples=200, deadline=None)
@given(lines(), st.data())
def test_LEDGER_refunds_in_any_pieces_give_back_the_line(line: Line, data: st.DataObject) -> None:
    pieces: list[int] = []
    while sum(pieces) < line.units:
        pieces.append(data.draw(st.integers(1, line.units - sum(pieces))))
    parts = in_pieces(line, pieces)
    borne = Tally({(who, bank): fen for who, fen, bank in line.funding})
    assert added(parts) == (line.payable_fen, line.discount_fen, borne)
    assert all(part.payable_fen >= 0 and all(share.fen >= 0 for share in part.funding) for part in parts)
    cut = data.draw(st.integers(0, len(pieces)))
    so_far = sum(pieces[:cut])
    assert added(parts[:cut]) == added(in_pieces(line, [so_far] if so_far else []))
    assert [refund_line(line, sum(pieces[:n]), units) for n, units in enumerate(pieces)] == parts


@settings(max_examples=60, deadline=None)
@given(st.lists(any_offers(), min_size=1, max_size=3, unique_by=lambda made: made.offer_id), st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]))  # fmt: skip  # noqa: E501
def test_a_spreadsheet_reads_back(made: list[object], encoding: str) -> None:
    offers = tuple(check_offer(offer) for offer in made)  # type: ignore[arg-type]
    text = decoded(write_drafts(offers).encode(encoding)).text
    assert read_drafts(text, Home("town", "shop", "Asia/Shanghai")) == Imported(offers, (), ())


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=8) | st.text("'=+-@ \t\nab", max_size=8))
def test_a_neutral_cell_begins_with_nothing_to_calculate_and_means_the_same(cell: str) -> None:
    assert not neutral(cell).lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
    assert meant(neutral(cell)) == cell
