"""Train a Keras model on a table, a rank per executor slot; prints one line of JSON."""

from __future__ import annotations

import sys

from sealane.cli.train_arguments import run_training

if __name__ == "__main__":
    sys.exit(run_training("tensorflow", str(__doc__)))
