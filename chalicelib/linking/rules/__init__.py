"""What is right in linking: what a city may publish, the table that comes of it, and what a score means elsewhere."""

from chalicelib.linking.rules.build import ReferenceFrozen, ReferenceUnfit, build_concordance, build_reference
from chalicelib.linking.rules.check import check_published
from chalicelib.linking.rules.concordance import (
    Concordance,
    ConcordanceCorrupt,
    Method,
    canonical_json,
    from_document,
    to_document,
)
from chalicelib.linking.rules.convert import Conversion, Converter, convert, convert_many, grade_at
from chalicelib.linking.rules.plot_concordance import plot_concordance_svg, plot_link_svg
from chalicelib.linking.rules.plot_distribution import plot_distribution_svg
from chalicelib.linking.rules.published import (
    FLAGS,
    DistributionDegenerate,
    DistributionInvalid,
    DistributionOutOfDate,
    DistributionSumOff,
    DistributionTooSmall,
    Kind,
    LinkRangeOnly,
    Published,
    grade_bands,
)
from chalicelib.linking.rules.reading import (
    LinkNotNumeric,
    ReferenceMixed,
    ReferenceValue,
    entry_value,
    reaches,
    reference_value,
    score_for,
)
from chalicelib.linking.rules.standing import beats_bp

__all__ = [
    "FLAGS",
    "Concordance",
    "ConcordanceCorrupt",
    "Conversion",
    "Converter",
    "DistributionDegenerate",
    "DistributionInvalid",
    "DistributionOutOfDate",
    "DistributionSumOff",
    "DistributionTooSmall",
    "Kind",
    "LinkNotNumeric",
    "LinkRangeOnly",
    "Method",
    "Published",
    "ReferenceFrozen",
    "ReferenceMixed",
    "ReferenceUnfit",
    "ReferenceValue",
    "beats_bp",
    "build_concordance",
    "build_reference",
    "canonical_json",
    "check_published",
    "convert",
    "convert_many",
    "entry_value",
    "from_document",
    "grade_at",
    "grade_bands",
    "plot_concordance_svg",
    "plot_distribution_svg",
    "plot_link_svg",
    "reaches",
    "reference_value",
    "score_for",
    "to_document",
]
