"""How offers are drafted, found, quoted and redeemed."""

from chalicelib.offers.routes import catalogue, offers, quotes, statistics
from chalicelib.offers.routes.blueprint import routes

__all__ = ["catalogue", "offers", "quotes", "routes", "statistics"]
