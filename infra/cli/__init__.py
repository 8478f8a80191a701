"""The ``egret`` command, for operators and analysts: ``.venv/bin/egret``, which make puts there from ``egret.sh``.

The same as ``.venv/bin/python -m infra.cli`` in the checkout. Never part of a Lambda.
"""
