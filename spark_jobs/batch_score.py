"""Score a table with a bundle, on the executors; prints one line of JSON."""

from __future__ import annotations

import argparse
import json
import os
import sys

from sealane.cli.job import run_job
from sealane.spark.batch import BatchConfig, score_batch
from sealane.spark.tables import FORMATS, MODES, Table


def main() -> int:
    """Parses, does the job, prints one line of JSON; gives the exit code."""
    parser = _parser()
    try:
        config = _config(parser.parse_args())
    except (ValueError, KeyError) as error:
        parser.error(str(error))
    return run_job("sealane batch_score", lambda spark: score_batch(spark, config))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--bundle", required=True, metavar="URI")
    add("--input", "--input-table", required=True, help="path, URI, or name of a JDBC table")
    add("--output", "--output-table", required=True)
    add("--quarantine-output", help="rows that can not be scored go there instead")
    add("--format", choices=FORMATS, default="parquet")
    add("--output-format", choices=FORMATS, help="if another than the input's")
    add("--mode", choices=MODES, default="errorifexists", help="if the output exists")
    add("--engine", default="auto", help="auto, jvm, jvm:onnx, python, …")
    add("--on-error", choices=("quarantine", "fail", "null"), default="quarantine")
    add("--into", default="score", help="name of the new column")
    add("--inputs", type=json.loads, help='JSON: {"input": "column"}; default: by name')
    add("--outputs", type=json.loads, help='JSON: ["output"]; default: all')
    add("--batch-size", type=int, default=1024)
    add("--jdbc-url")
    for name in ("--option", "--input-option", "--output-option"):
        add(name, action="append", default=[], metavar="K=V", help="of Spark's reader, writer")
    add("--secret", action="append", default=[], metavar="K=NAME", help="environment's value")
    return parser


def _config(args: argparse.Namespace) -> BatchConfig:
    shared = _pairs(args.option) | {k: os.environ[v] for k, v in _pairs(args.secret).items()}
    if args.jdbc_url:
        shared["url"] = args.jdbc_url
    source_options = shared | _pairs(args.input_option)
    target_options = shared | _pairs(args.output_option)
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


def _pairs(words: list[str]) -> dict[str, str]:
    return {key: value for key, _, value in (word.partition("=") for word in words)}


if __name__ == "__main__":
    sys.exit(main())
