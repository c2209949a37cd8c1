"""Train a network on a table by Deeplearning4j, in executors' JVMs; prints one line of JSON."""

from __future__ import annotations

import sys

from sealane.cli.train_arguments import run_training

if __name__ == "__main__":
    sys.exit(run_training("dl4j", str(__doc__), ("dl4j",)))
