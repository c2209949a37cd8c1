"""Score a sample of a table with two engines and compare: exit code 1 when they differ."""

from __future__ import annotations

import argparse
import sys

from sealane.cli.job_arguments import add_shared, run_parsed, table_options
from sealane.spark.parity_check import ParityConfig, check_parity
from sealane.spark.tables import Table


def main() -> int:
    """Parses, does the job, prints one line of JSON; gives the exit code."""
    return run_parsed("sealane check_parity", _parser(), _config, check_parity)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    add_shared(parser)
    add = parser.add_argument
    add("--sample", type=float, default=10_000, help="rows, or a share of them below 1")
    add("--seed", type=int, default=0, help="of the draw")
    add("--engines", nargs=2, default=("jvm", "python"), help="the judged one, the other")
    return parser


def _config(args: argparse.Namespace) -> ParityConfig:
    return ParityConfig(
        bundle=args.bundle,
        source=Table(args.format, args.input, table_options(args)),
        sample=args.sample,
        seed=args.seed,
        engines=tuple(args.engines),
        inputs=args.inputs,
        outputs=args.outputs,
        batch_size=args.batch_size,
    )


if __name__ == "__main__":
    sys.exit(main())
