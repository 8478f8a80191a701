#!/bin/sh
# The egret command. make puts it into .venv/bin, from where it finds its checkout, wherever it is called from.
root=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd) || exit 2
PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}" exec "$root/.venv/bin/python" -m infra.cli "$@"
