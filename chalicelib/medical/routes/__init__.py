"""How a bank writes its policy, pulls limits and opens lines, and how a hospital holds and captures."""

from chalicelib.medical.routes import bills, holds, limits, outbox, policies, reviews, visits
from chalicelib.medical.routes.blueprint import routes

__all__ = ["bills", "holds", "limits", "outbox", "policies", "reviews", "routes", "visits"]
