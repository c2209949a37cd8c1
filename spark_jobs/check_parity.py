"""Score a sample of a table with two engines and compare: exit code 1 when they differ."""

from __future__ import annotations

import argparse
import json
import os
import sys

from sealane.cli.job import run_job
from sealane.spark.parity_check import ParityConfig, check_parity
from sealane.spark.tables import FORMATS, Table


def main() -> int:
    """Parses, does the job, prints one line of JSON; gives the exit code."""
    parser = _parser()
    try:
        config = _config(parser.parse_args())
    except (ValueError, KeyError) as error:
        parser.error(str(error))
    return run_job("sealane check_parity", lambda spark: check_parity(spark, config))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--bundle", required=True, metavar="URI")
    add("--input", "--input-table", required=True, help="path, URI, or name of a JDBC table")
    add("--format", choices=FORMATS, default="parquet")
    add("--sample", type=float, default=10_000, help="rows, or a share of them below 1")
    add("--seed", type=int, default=0, help="of the draw")
    add("--engines", nargs=2, default=("jvm", "python"), help="the judged one, the other")
    add("--inputs", type=json.loads, help='JSON: {"input": "column"}; default: by name')
    add("--outputs", type=json.loads, help='JSON: ["output"]; default: all')
    add("--batch-size", type=int, default=1024)
    add("--jdbc-url")
    add("--option", action="append", default=[], metavar="K=V", help="of Spark's reader")
    add("--secret", action="append", default=[], metavar="K=NAME", help="environment's value")
    return parser


def _config(args: argparse.Namespace) -> ParityConfig:
    options = _pairs(args.option) | {k: os.environ[v] for k, v in _pairs(args.secret).items()}
    if args.jdbc_url:
        options["url"] = args.jdbc_url
    return ParityConfig(
        bundle=args.bundle,
        source=Table(args.format, args.input, options),
        sample=args.sample,
        seed=args.seed,
        engines=tuple(args.engines),
        inputs=args.inputs,
        outputs=args.outputs,
        batch_size=args.batch_size,
    )


def _pairs(words: list[str]) -> dict[str, str]:
    return {key: value for key, _, value in (word.partition("=") for word in words)}


if __name__ == "__main__":
    sys.exit(main())
