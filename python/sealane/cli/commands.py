"""The commands: parse, one call, print."""

from __future__ import annotations

import io
import json
import sys
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import typer

from sealane import api
from sealane.api.rows import FORMATS, read_rows, to_json, write_csv
from sealane.api.sources import Target, export_trained, load_model
from sealane.api.tables import visible
from sealane.bundle import Policy, TrustedSigners, Verdict, sign_bundle, verify_signature
from sealane.cli.output import EXIT_DIFFERENT, put, show, work, write_json

# A line with a backspace alone keeps the paragraph below it from being wrapped.
_EXIT_CODES = """\b
Exit codes:
  0    all is well
  1    verify: a runtime does not reach what the bundle claims; diff: they differ
  2    the command line is wrong
  3    the bundle is refused, or the model can not be exported
  4    the input is bad
  5    an engine or the JVM is missing or failed
  70   a fault of Sealane itself; 74: the output can not be written
  130  interrupted; 141: nobody reads the output any more

\b
With --json, standard output holds one JSON document and nothing else; an error
is {"error": {"code", "message", "details"}}. Messages go to standard error.

\b
Start here:
  sealane export train:model --example rows.csv --name churn
  sealane verify churn
  sealane run churn customers.csv
"""

app = typer.Typer(
    name="sealane",
    help="Ship models from Python to the JVM, with proof that both compute the same.",
    epilog=_EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

BundlePath = Annotated[Path, typer.Argument(help="The bundle's directory.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Key = Annotated[
    list[Path] | None, typer.Option("--signed-by", help="Trusted public key (PEM); repeatable.")
]
Root = Annotated[
    list[Path] | None, typer.Option("--trust-root", help="Trusted CA (PEM); repeatable.")
]
Identity = Annotated[
    list[str] | None,
    typer.Option(
        help="E-mail, URI or DNS name that a certificate under a --trust-root must carry; "
        "repeatable."
    ),
]
Least = Annotated[
    Verdict | None, typer.Option("--require", help="Least verdict the bundle must claim.")
]


def _version(asked: bool) -> None:  # noqa: FBT001 - typer calls it
    if asked:
        try:
            version = metadata.version("sealane")
        except metadata.PackageNotFoundError:
            version = "unknown"
        put(f"sealane {version}\n")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Ship models from Python to the JVM, with proof that both compute the same."""


@app.command(
    no_args_is_help=True,
    epilog="""\b
train.py, next to where you are:
  model = torch.nn.Sequential(...)  # trained; or a function that returns it
  def fit():                        # or with its examples, metrics and features
      return sealane.training.Trained(model, rows, {"auc": 0.91},
                                      {"features": features})

\b
Examples:
  sealane export train:model --example rows.csv --name churn
  sealane export train:fit --name churn --version 1.2.0 --path models/churn

\b
rows.csv:   age,plan        (a column per input; an empty number is NaN)
            41,basic
rows.json:  {"age": [41.0], "plan": ["basic"]}   or by position: [[41.0], ["basic"]]
Whole numbers become int64, decimals float32, all else text.
""",
)
def export(
    model: Annotated[
        str,
        typer.Argument(
            help="module:attribute, looked up in the current directory too: a model, or a function "
            "without arguments that returns one."
        ),
    ],
    name: Annotated[str, typer.Option(help="The model's name.")],
    example: Annotated[
        Path | None,
        typer.Option(help="Example inputs, .csv or .json, unless the function returns them."),
    ] = None,
    path: Annotated[Path | None, typer.Option(help="Where to write; default ./NAME.")] = None,
    version: Annotated[str, typer.Option(help="The model's version.")] = "1.0.0",
    formats: Annotated[
        str,
        typer.Option(help="onnx; savedmodel where it comes out right; dl4j to train it in Java."),
    ] = "onnx,savedmodel",
    runtime: Annotated[
        list[str] | None,
        typer.Option(help="jvm: a further runtime that testifies in the certificate; repeatable."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a bundle there.")] = False,
    as_json: Json = False,
) -> None:
    """Export a trained model as a verified bundle."""
    wanted = tuple(each.strip() for each in formats.split(","))
    with work(as_json=as_json):
        target = Target(
            name, path or Path(name), version, wanted, overwrite, runtimes=tuple(runtime or ())
        )
        bundle = export_trained(load_model(model, example), target)
    write_json(bundle.to_dict()) if as_json else show(repr(bundle))


@app.command(
    no_args_is_help=True,
    epilog="""\b
Examples:
  sealane inspect churn
  sealane inspect churn --require within-oracle --signed-by release.pub.pem
  sealane inspect churn --json | jq .inputs
""",
)
def inspect(
    bundle: BundlePath,
    signed_by: Key = None,
    trust_root: Root = None,
    identity: Identity = None,
    require: Least = None,
    as_json: Json = False,
) -> None:
    """Check every byte and say what it holds."""
    with work(as_json=as_json):
        found = api.inspect(bundle, policy=_policy(signed_by, trust_root, identity, require))
    write_json(found.to_dict()) if as_json else show(repr(found))


@app.command(
    no_args_is_help=True,
    epilog="""\b
Exits 1 when a runtime does not reach the verdict that the bundle claims, or a
runtime that was asked for can not run it.

\b
Examples:
  sealane verify churn
  sealane verify churn --runtime onnx --runtime jvm
""",
)
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
    """Replay the golden cases on each runtime."""
    with work(as_json=as_json):
        policy = _policy(signed_by, trust_root, identity, require)
        result = api.verify(bundle, runtime or None, policy=policy)
    write_json(result.to_dict()) if as_json else show(result)
    if not result.ok:
        raise typer.Exit(EXIT_DIFFERENT)


@app.command(
    no_args_is_help=True,
    epilog="""\b
Rows:
  json     {"age": [41, 33]}  or  [{"age": 41}, {"age": 33}]; null is missing
  jsonl    {"age": 41} on each line
  csv      a column per input, x[0], x[1], ... for one of shape [batch, n];
           an empty cell is missing
  parquet  a column per input; files only

\b
Examples:
  sealane run churn customers.csv
  sealane run churn customers.parquet --runtime jvm --output-format csv --output scores.csv
  echo '{"age": [41], "plan": ["basic"]}' | sealane run churn -
""",
)
def run(
    bundle: BundlePath,
    rows: Annotated[str, typer.Argument(help="Rows: a file, or - for standard input.")] = "-",
    runtime: Annotated[str, typer.Option(help="onnx, tensorflow or jvm.")] = "onnx",
    input_format: Annotated[
        str | None,
        typer.Option(help=f"{', '.join(FORMATS)}; default by the file's name, else json."),
    ] = None,
    output_format: Annotated[str, typer.Option(help="json or csv.")] = "json",
    output: Annotated[
        Path | None, typer.Option(help="Write the outputs to this file, not to standard output.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="An output to compute; repeatable. Default: all.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Score rows and print the outputs."""
    if output_format not in ("json", "csv"):
        raise typer.BadParameter(
            f"expected json or csv, received {output_format}", param_hint="--output-format"
        )
    if as_json and output is None and output_format == "csv":
        raise typer.BadParameter("--json and --output-format csv need --output FILE")
    kind = rows_format(rows, input_format)
    with work(as_json=as_json):
        with api.open_bundle(bundle, runtime) as session:
            source = sys.stdin if rows == "-" else Path(rows)
            outputs = session.run(read_rows(source, kind, session.signature), only or None)
        text = io.StringIO()
        if output_format == "csv":
            write_csv(outputs, text)
        else:
            text.write(json.dumps(to_json(outputs), ensure_ascii=False) + "\n")
        if output is not None:
            _write(output, text.getvalue())
    if output is None:
        put(text.getvalue())
    elif as_json:
        write_json({"output": str(output)})


@app.command(
    no_args_is_help=True,
    epilog="""\b
Exits 1 when they differ. Outputs are compared on A's golden inputs; where they
differ and both sides run ONNX, the first node whose output differs is named.

\b
Examples:
  sealane diff churn-1 churn-2
  sealane diff churn --runtime onnx --runtime jvm
  sealane diff churn --runtime onnx --runtime tensorflow --threshold 64
""",
)
def diff(
    a: Annotated[Path, typer.Argument(help="A bundle.", show_default=False)],
    b: Annotated[Path | None, typer.Argument(help="Another bundle.", show_default=False)] = None,
    runtime: Annotated[
        list[str] | None, typer.Option(help="One for both sides, or one for each; repeatable.")
    ] = None,
    threshold: Annotated[
        float,
        typer.Option(help="Rounding steps that count as agreement between outputs and nodes."),
    ] = 0.0,
    as_json: Json = False,
) -> None:
    """Compare two bundles, or one bundle on two runtimes."""
    names = runtime or []
    if len(names) > 2 or (b is None and len(set(names)) < 2):
        raise typer.BadParameter("give two bundles, or one bundle and two --runtime")
    with work(as_json=as_json):
        result = api.diff(a, b, runtimes=names or None, threshold=threshold)
    write_json(result.to_dict()) if as_json else show(result)
    if not result.same:
        raise typer.Exit(EXIT_DIFFERENT)


@app.command(
    no_args_is_help=True,
    epilog="""\b
The signature is an OpenSSF Model Signing v1.0 signature. Make a key:
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out release.pem
  openssl pkey -in release.pem -pubout -out release.pub.pem

\b
Examples:
  sealane sign churn --key release.pem
  sealane sign churn --key release.pem --certificate release.crt --certificate ca.crt
""",
)
def sign(
    bundle: BundlePath,
    key: Annotated[Path, typer.Option(help="Private key (PEM) on P-256, P-384 or P-521.")],
    certificate: Annotated[
        list[Path] | None,
        typer.Option(help="Certificates (PEM), the key's own first; repeatable."),
    ] = None,
    password: Annotated[
        str | None,
        typer.Option(
            envvar="SEALANE_KEY_PASSWORD",
            help="Of an encrypted key; others on this machine see it here, not in the variable.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Sign a bundle: writes its bundle.sig."""
    with work(as_json=as_json):
        written = sign_bundle(bundle, key=key, certificates=certificate or (), password=password)
    write_json({"signature": str(written)}) if as_json else show(f"signed: {written}")


@app.command(
    "verify-signature",
    no_args_is_help=True,
    epilog="""\b
Examples:
  sealane verify-signature churn --signed-by release.pub.pem
  sealane verify-signature churn --trust-root ca.crt --identity models@example.org
""",
)
def check_signature(
    bundle: BundlePath,
    signed_by: Key = None,
    trust_root: Root = None,
    identity: Identity = None,
    as_json: Json = False,
) -> None:
    """Check who signed, and that no byte has changed."""
    if not signed_by and not trust_root:
        raise typer.BadParameter("give --signed-by or --trust-root")
    with work(as_json=as_json):
        signers = _signers(signed_by, trust_root, identity)
        assert signers is not None
        signer = verify_signature(bundle, signers)
    fields: dict[str, Any] = {
        "kind": signer.kind,
        "fingerprint": signer.fingerprint,
        "subject": signer.subject,
        "identities": list(signer.identities),
    }
    text = f"signed by {signer.kind} {signer.subject or signer.fingerprint}"
    write_json(fields) if as_json else show(visible(text))


def _policy(
    keys: list[Path] | None,
    roots: list[Path] | None,
    identities: list[str] | None,
    require: Verdict | None,
) -> Policy:
    return Policy(signed_by=_signers(keys, roots, identities), required_verdict=require)


def _signers(
    keys: list[Path] | None, roots: list[Path] | None, identities: list[str] | None
) -> TrustedSigners | None:
    if identities and not roots:
        raise typer.BadParameter("needs --trust-root", param_hint="--identity")
    if not keys and not roots:
        return None
    return TrustedSigners.from_files(keys or (), roots or (), identities or ())


def rows_format(rows: str, asked: str | None) -> str:
    """The format of a file of rows, asked for or by its name."""
    kind = asked or (Path(rows).suffix.removeprefix(".").lower() if rows != "-" else "json")
    if kind not in FORMATS:
        hint = f"expected one of {', '.join(FORMATS)}, received {kind or rows}"
        raise typer.BadParameter(hint, param_hint="--input-format")
    if kind == "parquet" and rows == "-":
        raise typer.BadParameter("Parquet needs a file", param_hint="ROWS")
    return kind


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise typer.BadParameter(
            f"'{path}' can not be written: {error.strerror}", param_hint="--output"
        ) from error
