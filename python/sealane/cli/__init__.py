"""The command line: parse, one call, print; ``sealane --help`` teaches it."""

from sealane.cli import training as training
from sealane.cli.commands import app as app
from sealane.cli.process import main as main

__all__ = ["app", "main"]
