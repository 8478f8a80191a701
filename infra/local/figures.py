"""Draws the pictures of the docs from the demo's data: ``python -m infra.local.figures docs/images``.

The period is fixed, so that the same data give the same bytes.
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any

from chalicelib.cities.rules import Scale
from chalicelib.core import codec
from chalicelib.linking.routes import published_of
from chalicelib.linking.rules import Concordance, build_concordance, build_reference, check_published, plot_link_svg
from infra.local.demo_data.tables import distribution, document

DRAWN_ON = date(2026, 11, 1)
SCORE_SHOWN = 705
REFERENCE = "xiamen"


def pictures() -> dict[str, str]:
    """Every picture of the docs, by file name."""
    here, there = concordance_of("hangzhou"), concordance_of("xiamen")
    return {"hangzhou-to-xiamen.svg": plot_link_svg(*here, *there, mark=SCORE_SHOWN)}


def concordance_of(city_id: str) -> tuple[Concordance, Scale]:
    """A demo city's concordance and scale, as if published on ``DRAWN_ON``; Xiamen is the reference."""
    scale, entry = _entry(city_id)
    published = check_published(published_of(distribution(entry, DRAWN_ON)), scale, DRAWN_ON)
    if city_id == REFERENCE:
        return build_reference(published, scale, valid_from=DRAWN_ON), scale
    reference = concordance_of(REFERENCE)[0]
    return build_concordance(published, scale, reference, version=1, valid_from=DRAWN_ON), scale


def _entry(city_id: str) -> tuple[Scale, dict[str, Any]]:
    entry = next(e for e in document("cities.json") if e["city"]["city_id"] == city_id)
    return codec.build(Scale, entry["scale"], city_id=city_id, version=1), entry


def main(folder: str) -> None:
    """Writes the pictures into a folder."""
    for name, svg in pictures().items():
        Path(folder, name).write_text(svg, "utf-8")
        print(Path(folder, name))


if __name__ == "__main__":
    main(sys.argv[1])
