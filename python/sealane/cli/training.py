"""The command ``finetune``: a bundle's network trained on new rows, in the JVM."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from sealane import api
from sealane.api.rows import FORMATS, read_rows
from sealane.cli.commands import BundlePath, Json, app, rows_format
from sealane.cli.output import show, tell, work, write_json
from sealane.core import DType, TensorSpec

_EPILOG = """\b
Rows are those of 'sealane run', with one more column: the label.

\b
Examples:
  sealane finetune flights december.csv --label late --path flights-december \\
      --version 1.1.0 --validation 0.2 --epochs 5
  sealane finetune flights december.csv --label late --path flights-december \\
      --version 1.1.0 --optimizer sgd --learning-rate 0.01 --freeze embeddings.carrier
"""


@app.command(no_args_is_help=True, epilog=_EPILOG)
def finetune(
    bundle: BundlePath,
    rows: Annotated[str, typer.Argument(help="Rows: a file, or - for standard input.")],
    label: Annotated[str, typer.Option(help="The column with the label.")],
    path: Annotated[Path, typer.Option(help="Where to write the child bundle.")],
    version: Annotated[str, typer.Option(help="The child's version.")],
    validation: Annotated[
        float | None, typer.Option(help="Share of the rows, in (0, 1), that judges each epoch.")
    ] = None,
    optimizer: Annotated[str, typer.Option(help="sgd, nesterov or adam.")] = "adam",
    learning_rate: Annotated[
        float | None, typer.Option(help="The step size; default the optimizer's.")
    ] = None,
    loss: Annotated[
        str | None, typer.Option(help="Default: what the output's meaning asks for.")
    ] = None,
    output: Annotated[str | None, typer.Option(help="The output that the loss is of.")] = None,
    epochs: Annotated[int, typer.Option(help="Passes over the rows.")] = 1,
    batch_size: Annotated[int, typer.Option(help="Rows of one step.")] = 256,
    seed: Annotated[int, typer.Option(help="Of the split, the order of rows and dropout.")] = 0,
    threads: Annotated[int, typer.Option(help="Of the engine.")] = 1,
    freeze: Annotated[
        list[str] | None, typer.Option(help="A layer whose weights stay; repeatable.")
    ] = None,
    early_stopping: Annotated[
        int | None, typer.Option(help="Epochs without a better loss after which it ends.")
    ] = None,
    checkpoints: Annotated[
        Path | None, typer.Option(help="Folder for checkpoints; a run goes on from the newest.")
    ] = None,
    checkpoint_steps: Annotated[
        int, typer.Option(help="Steps between checkpoints; 0 for each epoch only.")
    ] = 0,
    input_format: Annotated[
        str | None,
        typer.Option(help=f"{', '.join(FORMATS)}; default by the file's name, else json."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Train a bundle's network on new rows in the JVM, and write a child bundle."""
    kind = rows_format(rows, input_format)
    with work(as_json=as_json):
        signature = api.inspect(bundle).signature
        target = TensorSpec(label, DType.FP32, ("batch",))
        labelled = replace(signature, inputs=(*signature.inputs, target))
        source = sys.stdin if rows == "-" else Path(rows)
        columns = read_rows(source, kind, labelled)
        labels = columns.pop(label, [])
        child = api.finetune(
            bundle,
            columns,
            labels,
            path=path,
            version=version,
            validation=validation,
            optimizer=optimizer,
            learning_rate=learning_rate,
            loss=loss,
            output=output,
            epochs=epochs,
            batch_size=batch_size,
            seed=seed,
            threads=threads,
            freeze=freeze or (),
            early_stopping=early_stopping,
            checkpoints=None if checkpoints is None else (checkpoints, checkpoint_steps),
            listener=None if as_json else _tell_epoch,
        )
    result = {"bundle": child.bundle.to_dict(), "report": child.report}
    write_json(result) if as_json else show(repr(child.bundle))


def _tell_epoch(progress: dict[str, Any]) -> None:
    loss = "" if progress["loss"] is None else f"  loss {progress['loss']:.6g}"
    found: dict[str, float] = progress["validation"] or {}
    shown = "  ".join(f"{name} {value:.6g}" for name, value in found.items())
    best = "  best" if progress["best"] else ""
    tell(f"epoch {progress['epoch']}/{progress['epochs']}{loss}  {shown}{best}".rstrip())
