"""The ``egret`` command: which sub-commands there are.

A sub-command is a module with ``add_to(commands)``, which adds its parser and sets ``run`` to a function from the
parsed options to an exit code. Exit codes: 0 all well, 1 done with findings, 2 usage or an unreadable file, 3 Egret
refused or could not be reached, 130 interrupted.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from infra.cli import export_ledger, import_scores, lint, reconcile, settle, tokens

COMMANDS = (export_ledger, import_scores, lint, reconcile, settle, tokens)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one sub-command. Returns its exit code; wrong usage ends the process with 2."""
    parser = argparse.ArgumentParser(prog="egret", description="白鹭命令行工具 / Egret on the command line")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in COMMANDS:
        module.add_to(commands)
    options = parser.parse_args(argv)
    code: int = options.run(options)
    return code
