"""How a bank writes its policy, pulls limits and opens lines, and how a hospital holds and captures."""

from chalicelib.medical.routes import holds, limits, policies
from chalicelib.medical.routes.blueprint import routes

__all__ = ["holds", "limits", "policies", "routes"]
