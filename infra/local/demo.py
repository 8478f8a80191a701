"""``make demo``: plays Egret's story over HTTP on a server of its own, and stops at the first surprise.

Every figure is the demo's own (``demo_data``, marked illustrative) or published (its source is in the data); every
request and reply is printed as it was, long lists shortened.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

from chalicelib.core import clock
from infra.local.database import DatabaseFailed
from infra.local.stack import Stack

PLOTS = Path("build/demo")
XIAMEN = ZoneInfo("Asia/Shanghai")
ROOM = timedelta(hours=1)


def main() -> int:
    """Plays the story. Returns 0 if everything was as expected."""
    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
    try:
        with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
            # Only now: what the story imports reads its settings, which the stack has just made.
            from infra.local.client import Client, Refused
            from infra.local.story import Surprise, play

            try:
                with clock.ahead(_told_on_one_day(console)):
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


def to_midnight(at: datetime, room: timedelta = ROOM) -> timedelta:
    """By how much the clock is put forward for a story that begins now: past Xiamen's midnight where there is less room
    before it, since daily limits, statements and due days all say what one day had."""
    tomorrow = at.astimezone(XIAMEN).date() + timedelta(days=1)
    left = datetime.combine(tomorrow, time(), XIAMEN) - at
    return left if left < room else timedelta()


def _told_on_one_day(console: Console) -> timedelta:
    by = to_midnight(clock.now())
    if by:
        console.print("厦门临近午夜，演示把钟拨过零点。\n[dim]Midnight is near in Xiamen: the clock is put past it.[/]")
    return by


if __name__ == "__main__":
    sys.exit(main())
