"""The command line: parse, one call, print.

Exit codes: 0 all is well; 1 verified and found wanting, or different; 2 the command line is wrong;
3 the bundle can not be trusted, or a model can not be exported; 4 the input is bad; 5 an engine or
the JVM is missing or failed. With ``--json`` standard output holds one JSON object and nothing
else; a failure is ``{"error": {"code", "message", "details"}}``. Messages for people go to
standard error.
"""

from __future__ import annotations

import json
import math
import sys
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.console import Console

from sealane import api
from sealane.api.examples import load_attribute, read_example
from sealane.api.rows import FORMATS, read_rows, to_json, write_csv
from sealane.bundle import Policy, TrustedSigners, Verdict, sign_bundle, verify_signature
from sealane.core import ErrorFamily, SealaneError

if TYPE_CHECKING:
    from collections.abc import Generator

EXIT_DIFFERENT = 1
EXIT_CODES = {ErrorFamily.BUNDLE: 3, ErrorFamily.INPUT: 4, ErrorFamily.ENGINE: 5}

app = typer.Typer(
    name="sealane",
    help="Ship models from Python to the JVM, with proof that both compute the same.\n\n"
    "Exit codes: 0 all is well, 1 verification failed or a difference was found, 2 usage, "
    "3 bundle refused or export failed, 4 bad input, 5 engine or JVM missing or failed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

BundlePath = Annotated[Path, typer.Argument(help="The bundle's directory.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Key = Annotated[
    list[Path] | None, typer.Option("--signed-by", help="Trusted public key (PEM); repeatable.")
]
Root = Annotated[
    list[Path] | None, typer.Option("--trust-root", help="Trusted CA (PEM); repeatable.")
]
Identity = Annotated[
    list[str] | None,
    typer.Option(help="E-mail, URI or DNS name that a certificate must carry; repeatable."),
]
Least = Annotated[
    Verdict | None, typer.Option("--require", help="Least verdict the bundle must claim.")
]


@app.command(no_args_is_help=True)
def export(
    model: Annotated[
        str, typer.Argument(help="module:attribute, a model or a function that returns one.")
    ],
    example: Annotated[
        Path,
        typer.Option(help="Example inputs: .csv (a column per input) or .json (nested lists)."),
    ],
    name: Annotated[str, typer.Option(help="The model's name.")],
    path: Annotated[Path | None, typer.Option(help="Where to write; default ./NAME.")] = None,
    version: Annotated[str, typer.Option(help="The model's version.")] = "1.0.0",
    formats: Annotated[
        str, typer.Option(help="onnx, and savedmodel where it comes out right.")
    ] = "onnx,savedmodel",
    runtime: Annotated[
        list[str] | None,
        typer.Option(help="jvm: a further runtime that testifies in the certificate; repeatable."),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a bundle that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Export a trained model as a bundle that has been verified against it.

    Example: sealane export train:model --example rows.csv --name churn
    """
    with _failures(as_json):
        # Converters print; standard output is the result's.
        with redirect_stdout(sys.stderr):
            bundle = api.export(
                load_attribute(model),
                read_example(example),
                name,
                path=path,
                version=version,
                formats=tuple(each.strip() for each in formats.split(",")),
                runtimes=runtime or (),
                overwrite=overwrite,
            )
        _print(bundle.to_dict() if as_json else bundle, as_json)


@app.command(no_args_is_help=True)
def inspect(
    bundle: BundlePath,
    signed_by: Key = None,
    trust_root: Root = None,
    identity: Identity = None,
    require: Least = None,
    as_json: Json = False,
) -> None:
    """Read a bundle, check every byte, and say what it holds.

    Example: sealane inspect churn --require within-oracle
    """
    with _failures(as_json):
        found = api.inspect(bundle, policy=_policy(signed_by, trust_root, identity, require))
        _print(found.to_dict() if as_json else found, as_json)


@app.command(no_args_is_help=True)
def verify(
    bundle: BundlePath,
    runtime: Annotated[
        list[str] | None,
        typer.Option(help="onnx, tensorflow, jvm; repeatable. Default: all that are installed."),
    ] = None,
    signed_by: Key = None,
    trust_root: Root = None,
    identity: Identity = None,
    require: Least = None,
    as_json: Json = False,
) -> None:
    """Replay the golden cases, for each artifact, on each runtime.

    Exits 1 when a runtime does not reach the verdict that the bundle claims.

    Example: sealane verify churn --runtime onnx --runtime jvm
    """
    with _failures(as_json):
        policy = _policy(signed_by, trust_root, identity, require)
        result = api.verify(bundle, runtime or None, policy=policy)
        _print(result.to_dict() if as_json else result, as_json)
        if not result.ok:
            raise typer.Exit(EXIT_DIFFERENT)


@app.command(no_args_is_help=True)
def run(
    bundle: BundlePath,
    rows: Annotated[str, typer.Argument(help="Rows: a file, or - for standard input.")] = "-",
    runtime: Annotated[str, typer.Option(help="onnx, tensorflow or jvm.")] = "onnx",
    input_format: Annotated[
        str | None,
        typer.Option(help=f"{', '.join(FORMATS)}; default by the file's name, else json."),
    ] = None,
    output_format: Annotated[str, typer.Option(help="json or csv.")] = "json",
    output: Annotated[Path | None, typer.Option(help="Where to write; default stdout.")] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="An output to compute; repeatable. Default: all.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Score rows and print the outputs.

    JSON: {"age": [41, 33]} or [{"age": 41}, {"age": 33}]. CSV: a column per input, x[0], x[1]… for
    [batch, n]; an empty cell is a missing value.

    Example: sealane run churn customers.csv --runtime jvm --output-format csv
    """
    with _failures(as_json):
        kind = _format(rows, input_format)
        if output_format not in ("json", "csv"):
            raise typer.BadParameter(output_format, param_hint="--output-format")
        with api.open_bundle(bundle, runtime) as session:
            source = sys.stdin if rows == "-" else Path(rows)
            outputs = session.run(read_rows(source, kind, session.signature), only or None)
        target = sys.stdout if output is None else output.open("w", encoding="utf-8", newline="")
        with target if output is not None else _left_open():
            if output_format == "csv" and not as_json:
                write_csv(outputs, target)
            else:
                target.write(json.dumps(to_json(outputs), ensure_ascii=False) + "\n")


@app.command(no_args_is_help=True)
def diff(
    a: Annotated[Path, typer.Argument(help="A bundle.", show_default=False)],
    b: Annotated[Path | None, typer.Argument(help="Another bundle.", show_default=False)] = None,
    runtime: Annotated[
        list[str] | None, typer.Option(help="One for both sides, or one for each; repeatable.")
    ] = None,
    threshold: Annotated[
        float, typer.Option(help="Rounding steps that count as agreement between nodes.")
    ] = 0.0,
    as_json: Json = False,
) -> None:
    """Compare two bundles, or one bundle on two runtimes; name the first ONNX node that diverges.

    Exits 1 when there is a difference.

    Examples: sealane diff churn-1 churn-2; sealane diff churn --runtime onnx --runtime jvm
    """
    with _failures(as_json):
        result = api.diff(a, b, runtimes=runtime or None, threshold=threshold)
        _print(result.to_dict() if as_json else result, as_json)
        if not result.same:
            raise typer.Exit(EXIT_DIFFERENT)


@app.command(no_args_is_help=True)
def sign(
    bundle: BundlePath,
    key: Annotated[Path, typer.Option(help="Private key (PEM) on P-256, P-384 or P-521.")],
    certificate: Annotated[
        list[Path] | None,
        typer.Option(help="Certificates (PEM), the key's own first; repeatable."),
    ] = None,
    password: Annotated[
        str | None, typer.Option(envvar="SEALANE_KEY_PASSWORD", help="Of an encrypted key.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Sign a bundle as OpenSSF Model Signing v1.0: writes its bundle.sig.

    Example: sealane sign churn --key release.pem
    """
    with _failures(as_json):
        written = sign_bundle(bundle, key=key, certificates=certificate or (), password=password)
        _print({"signature": str(written)} if as_json else f"signed: {written}", as_json)


@app.command("verify-signature", no_args_is_help=True)
def check_signature(
    bundle: BundlePath,
    signed_by: Key = None,
    trust_root: Root = None,
    identity: Identity = None,
    as_json: Json = False,
) -> None:
    """Check who signed a bundle, and that not a byte has changed since.

    Example: sealane verify-signature churn --signed-by release.pub.pem
    """
    with _failures(as_json):
        if not signed_by and not trust_root:
            raise typer.BadParameter("give --signed-by or --trust-root")
        signers = TrustedSigners.from_files(signed_by or (), trust_root or (), identity or ())
        signer = verify_signature(bundle, signers)
        fields: dict[str, Any] = {
            "kind": signer.kind,
            "fingerprint": signer.fingerprint,
            "subject": signer.subject,
            "identities": list(signer.identities),
        }
        text = f"signed by {signer.kind} {signer.subject or signer.fingerprint}"
        _print(fields if as_json else text, as_json)


def main() -> None:
    """Runs the command line."""
    app()


def _policy(
    keys: list[Path] | None,
    roots: list[Path] | None,
    identities: list[str] | None,
    require: Verdict | None,
) -> Policy:
    signers = None
    if keys or roots:
        signers = TrustedSigners.from_files(keys or (), roots or (), identities or ())
    return Policy(signed_by=signers, required_verdict=require)


def _format(rows: str, asked: str | None) -> str:
    kind = asked or (Path(rows).suffix.removeprefix(".").lower() if rows != "-" else "json")
    if kind not in FORMATS:
        hint = f"expected one of {', '.join(FORMATS)}, received {kind or rows!r}"
        raise typer.BadParameter(hint, param_hint="--input-format")
    if kind == "parquet" and rows == "-":
        raise typer.BadParameter("Parquet needs a file", param_hint="ROWS")
    return kind


def _print(value: object, as_json: bool) -> None:  # noqa: FBT001 - the flag of every command
    if as_json:
        _write_json(value)
    elif hasattr(value, "__rich__"):
        Console().print(value)
    else:
        sys.stdout.write(f"{value!r}\n" if isinstance(value, api.Bundle) else f"{value}\n")


def _write_json(value: object) -> None:
    text = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, default=str)
    sys.stdout.write(text + "\n")


def _finite(value: Any) -> Any:
    """The value with NaN and the infinities as strings, which JSON has no numbers for."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in cast("dict[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in cast("list[Any]", value)]
    return value


@contextmanager
def _left_open() -> Generator[None]:
    yield


@contextmanager
def _failures(as_json: bool) -> Generator[None]:  # noqa: FBT001 - the flag of every command
    """Turns a SealaneError into a message and an exit code."""
    try:
        yield
    except SealaneError as error:
        if as_json:
            fields = {"code": error.code.value, "message": error.message, "details": error.details}
            _write_json({"error": fields})
        Console(stderr=True, soft_wrap=True).print(str(error), style="red", markup=False)
        raise typer.Exit(EXIT_CODES[error.code.family]) from error


if __name__ == "__main__":
    main()
