"""The command line of the jobs that train: one option for each setting of a run."""

from __future__ import annotations

import argparse
import typing
from dataclasses import MISSING, fields
from typing import Any, get_args, get_origin

from sealane.cli.job_arguments import add_source, run_parsed, table_options
from sealane.core import SealaneError
from sealane.spark.tables import Table
from sealane.spark.training.job import TrainJob, train_job
from sealane.training.distributed.config import TrainConfig


def run_training(framework: str, description: str, engines: tuple[str, ...] = ()) -> int:
    """Parses the command line, trains, prints one line of JSON; gives the exit code.

    Args:
        framework: What the job trains: the name of its rank.
        description: Of the job.
        engines: Of the JVM that it needs.
    """
    parser = argparse.ArgumentParser(description=description)
    help_text = "a trainable, or a function that makes one; importable on the driver"
    parser.add_argument("--trainable", required=True, metavar="MODULE:NAME", help=help_text)
    add_source(parser)
    types = typing.get_type_hints(TrainConfig)
    for each in fields(TrainConfig):
        _add(parser, each.name, types[each.name], each.default)

    def job(arguments: argparse.Namespace) -> TrainJob:
        given = vars(arguments)
        source = Table(arguments.format, arguments.input, table_options(arguments))
        config = {each.name: given[each.name] for each in fields(TrainConfig)}
        try:
            return TrainJob(framework, arguments.trainable, source, TrainConfig(**config))
        except SealaneError as error:
            raise ValueError(error.message) from error

    return run_parsed(f"sealane train_{framework}", parser, job, train_job, engines)


def _add(parser: argparse.ArgumentParser, name: str, kind: Any, default: Any) -> None:
    """One option; a setting that may be None takes the word ``none``."""
    option = f"--{name.replace('_', '-')}"
    if kind is bool:
        parser.add_argument(option, action=argparse.BooleanOptionalAction, default=default)
        return
    required = default is MISSING
    default = None if required else default
    choices = get_args(kind) if get_origin(kind) is typing.Literal else None
    plain = next((each for each in (int, float) if each in (kind, *get_args(kind))), str)
    optional = type(None) in get_args(kind)

    def parsed(text: str) -> Any:
        return None if optional and text == "none" else plain(text)

    parsed.__name__ = plain.__name__
    parser.add_argument(option, type=parsed, default=default, required=required, choices=choices)
