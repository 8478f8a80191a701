"""A line is shared: by hospitals, by its bank and by its person, and the stream and the daily function write it too."""

from __future__ import annotations

TRIES = 8
"""How often whoever meets another at a line looks at it anew."""
