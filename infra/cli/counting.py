"""How far a long command has come where nobody knows how much there is: a count and a clock, on a terminal alone."""

from __future__ import annotations

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

EVERY = 500
"""How many of what is counted go by between two looks."""


def counting(console: Console, *, alone: bool = True) -> Progress:
    """A display of counts, gone when the command ends. Its tasks have no total.

    Args:
        alone: Whether nothing else goes to the terminal meanwhile; nothing is shown where something does.
    """
    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed:,.0f}"), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not (alone and console.is_terminal), transient=True)
