"""What happens to scores: they are reported one by one, by the hundred or from files, and they are looked at."""

from chalicelib.scores.service.importing import SCALE_OF_THE_IMPORT, Progress, import_rows, open_import
from chalicelib.scores.service.looking import Shown, ShownMonth, history_of, look, look_at_history, score_of
from chalicelib.scores.service.reporting import Row, report, report_many

__all__ = [
    "SCALE_OF_THE_IMPORT",
    "Progress",
    "Row",
    "Shown",
    "ShownMonth",
    "history_of",
    "import_rows",
    "look",
    "look_at_history",
    "open_import",
    "report",
    "report_many",
    "score_of",
]
