"""``make demo``: plays Egret's story over HTTP on a server of its own, and stops at the first surprise.

Every figure is the demo's own (``demo_data``, marked illustrative) or published (its source is in the data); every
request and reply is printed as it was, long lists shortened.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from rich.console import Console

from infra.local.database import DatabaseFailed
from infra.local.stack import Stack

PLOTS = Path("build/demo")


def main() -> int:
    """Plays the story. Returns 0 if everything was as expected."""
    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
    try:
        with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
            # Only now: what the story imports reads its settings, which the stack has just made.
            from infra.local.client import Client, Refused
            from infra.local.story import Surprise, play

            try:
                checks = play(Client(stack.url, stack.issuer), stack, console, PLOTS)
            except (Surprise, Refused) as surprise:
                console.print(f"\n[bold red]✗ 意外 / a surprise:[/] {surprise}")
                return 1
    except DatabaseFailed as failed:
        console.print(f"[bold red]✗[/] {failed}")
        return 1
    except KeyboardInterrupt:
        console.print("\n已中断。interrupted.")
        return 130
    console.print(f"\n[bold green]✓ {checks} 项预期全部符合 / all {checks} expectations met[/]   图 plots: {PLOTS}/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
