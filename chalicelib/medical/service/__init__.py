"""What happens with medical credit: one function per verb."""

from chalicelib.medical.service.desk import Bank
from chalicelib.medical.service.following import attend
from chalicelib.medical.service.holding import capture, hold, raise_hold, read_hold, void
from chalicelib.medical.service.lending import close_own, move_line, open_for, open_own
from chalicelib.medical.service.placing import Wish
from chalicelib.medical.service.policies import (
    PolicyView,
    draft,
    edit,
    list_versions,
    move,
    read_version,
    try_out,
)
from chalicelib.medical.service.pulling import pull, pull_many
from chalicelib.medical.service.refunding import refund
from chalicelib.medical.service.regrading import regrade
from chalicelib.medical.service.sending import send_all

__all__ = [
    "Bank",
    "PolicyView",
    "Wish",
    "attend",
    "capture",
    "close_own",
    "draft",
    "edit",
    "hold",
    "list_versions",
    "move",
    "move_line",
    "open_for",
    "open_own",
    "pull",
    "pull_many",
    "raise_hold",
    "read_hold",
    "read_version",
    "refund",
    "regrade",
    "send_all",
    "try_out",
    "void",
]
