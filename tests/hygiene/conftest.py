"""The fixtures of the command tests, for the tests that search what commands leave behind."""

from tests.cli.conftest import cli, work

__all__ = ["cli", "work"]
