"""What happens with the ledger's statements: days are closed, and made anew to be compared."""

from chalicelib.ledger.service.closing import SIGNED_AS, close_days
from chalicelib.ledger.service.reproducing import Reproduction, reproduce

__all__ = ["SIGNED_AS", "Reproduction", "close_days", "reproduce"]
