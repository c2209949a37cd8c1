"""Score a table with a bundle, on the executors; prints one line of JSON."""

from __future__ import annotations

import argparse
import sys

from sealane.cli.job_arguments import add_shared, pairs, run_parsed, table_options
from sealane.spark.batch import BatchConfig, score_batch
from sealane.spark.tables import FORMATS, MODES, Table


def main() -> int:
    """Parses, does the job, prints one line of JSON; gives the exit code."""
    return run_parsed("sealane batch_score", _parser(), _config, score_batch)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    add_shared(parser)
    add = parser.add_argument
    add("--output", "--output-table", required=True)
    add("--quarantine-output", help="rows that can not be scored go there instead")
    add("--output-format", choices=FORMATS, help="if another than the input's")
    add("--mode", choices=MODES, default="errorifexists", help="if the output exists")
    add("--engine", default="auto", help="auto, jvm, jvm:onnx, python, …")
    add("--on-error", choices=("quarantine", "fail", "null"), default="quarantine")
    add("--into", default="score", help="name of the new column")
    for name in ("--input-option", "--output-option"):
        add(name, action="append", default=[], metavar="K=V", help="of Spark's reader, writer")
    return parser


def _config(args: argparse.Namespace) -> BatchConfig:
    source_options = table_options(args) | pairs(args.input_option)
    target_options = table_options(args) | pairs(args.output_option)
    kind = args.output_format or args.format
    quarantine = args.quarantine_output
    return BatchConfig(
        bundle=args.bundle,
        source=Table(args.format, args.input, source_options),
        target=Table(kind, args.output, target_options),
        quarantine=Table(kind, quarantine, target_options) if quarantine else None,
        mode=args.mode,
        inputs=args.inputs,
        outputs=args.outputs,
        engine=args.engine,
        on_error=args.on_error,
        into=args.into,
        batch_size=args.batch_size,
    )


if __name__ == "__main__":
    sys.exit(main())
