"""What the command lines of Spark jobs have in common."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, TypeVar

from sealane.cli.job import run_job
from sealane.spark.tables import FORMATS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from pyspark.sql import SparkSession

    from sealane.cli.job import Summary

_Config = TypeVar("_Config")


def run_parsed(
    name: str,
    parser: argparse.ArgumentParser,
    config: Callable[[argparse.Namespace], _Config],
    job: Callable[[SparkSession, _Config], Summary],
    engines: tuple[str, ...] = (),
) -> int:
    """Parses the command line and does the job; gives the exit code.

    Args:
        name: The application's.
        parser: Of the command line.
        config: Makes the job's settings; ValueError and KeyError end the process as bad usage.
        job: The job.
        engines: Of the JVM that it needs.
    """
    try:
        settings = config(parser.parse_args())
    except (ValueError, KeyError) as error:
        parser.error(str(error))
    return run_job(name, lambda spark: job(spark, settings), engines)


def add_shared(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of jobs that score: the bundle, the table, how it is scored."""
    add = parser.add_argument
    add("--bundle", required=True, metavar="URI")
    add_source(parser)
    add("--inputs", type=json.loads, help='JSON: {"input": "column"}; default: by name')
    add("--outputs", type=json.loads, help='JSON: ["output"]; default: all')
    add("--batch-size", type=int, default=1024)


def add_source(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of every job: the table that it reads."""
    add = parser.add_argument
    add("--input", "--input-table", required=True, help="path, URI, or name of a JDBC table")
    add("--format", choices=FORMATS, default="parquet")
    add("--jdbc-url")
    add("--option", action="append", default=[], metavar="K=V", help="of Spark's reader, writer")
    add("--secret", action="append", default=[], metavar="K=NAME", help="environment's value")


def table_options(arguments: argparse.Namespace) -> dict[str, str]:
    """The options of Spark's reader and writer, secrets taken out of the environment.

    Raises:
        KeyError: For a variable that the environment does not have.
    """
    secrets = {key: os.environ[name] for key, name in pairs(arguments.secret).items()}
    url = {"url": str(arguments.jdbc_url)} if arguments.jdbc_url else {}
    return pairs(arguments.option) | secrets | url


def pairs(words: list[str]) -> dict[str, str]:
    """``K=V`` words as a mapping."""
    return {key: value for key, _, value in (word.partition("=") for word in words)}
