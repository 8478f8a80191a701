"""The ``egret`` command, for operators and analysts: ``python -m infra.cli``. Never part of a Lambda."""
