"""Golden cases by themselves: files that must parse, and files that must not."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
from corpus import bases

from sealane.bundle import GoldenCase
from sealane.bundle.golden import write_golden
from sealane.bundle.manifest import signature_members

if TYPE_CHECKING:
    from pathlib import Path

INVALID, LIMIT = "GOLDEN_INVALID", "LIMIT_EXCEEDED"
X = {"dtype": "F32", "shape": [2, 4], "data_offsets": [0, 32]}
Y = {"dtype": "F32", "shape": [2, 3], "data_offsets": [32, 56]}
DATA = np.arange(14, dtype="<f4").tobytes()
SIGNATURES = {"mlp": bases.MLP_SIGNATURE, "text": bases.STRINGS_SIGNATURE}


def safetensors(header: Any, data: bytes = DATA, *, claimed: int | None = None) -> bytes:
    """A file with any header, JSON or bytes, padded to a multiple of eight."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text) if claimed is None else claimed) + text + data


def header(**changes: Any) -> dict[str, Any]:
    """The header of a right case, with members of its first tensor changed."""
    return {"input:features": X | changes, "output:scores": Y}


def write_goldens(target: Path) -> None:
    """Write ``good``, ``bad`` and ``expected.json`` into ``target``."""
    cases: list[dict[str, Any]] = []
    for folder in ("good", "bad"):
        (target / folder).mkdir(parents=True, exist_ok=True)
    for name, why, data, values in _good():
        cases.append(
            {"file": f"good/{name}.safetensors", "signature": "mlp", "why": why, "values": values}
        )
        (target / cases[-1]["file"]).write_bytes(data)
    for name, (code, why, data) in _bad().items():
        cases.append(
            {"file": f"bad/{name}.safetensors", "signature": "mlp", "why": why, "code": code}
        )
        (target / cases[-1]["file"]).write_bytes(data)
    cases += _strings(target)
    document = {
        "signatures": {name: signature_members(each) for name, each in SIGNATURES.items()},
        "cases": cases,
    }
    text = json.dumps(document, indent=1, ensure_ascii=True)
    (target / "expected.json").write_text(text + "\n", encoding="ascii")


def _values(**tensors: np.ndarray) -> dict[str, Any]:
    return {
        name.replace("__", ":"): {
            "dtype": "FP64" if array.dtype == np.float64 else "FP32",
            "shape": list(array.shape),
            "data": array.astype(array.dtype.newbyteorder("<")).tobytes().hex(),
        }
        for name, array in tensors.items()
    }


def _good() -> list[tuple[str, str, bytes, dict[str, Any]]]:
    x = np.arange(8, dtype=np.float32).reshape(2, 4)
    y = np.arange(8, 14, dtype=np.float32).reshape(2, 3)
    special = x.copy()
    special[0] = [np.nan, np.inf, -np.inf, -0.0]
    swapped = {
        "output:scores": Y | {"data_offsets": [0, 24]},
        "input:features": X | {"data_offsets": [24, 56]},
    }
    oracle = header() | {
        "oracle:scores": {"dtype": "F64", "shape": [2, 3], "data_offsets": [56, 104]}
    }
    o = np.arange(6).reshape(2, 3) / 3
    metadata = {"__metadata__": {"format": "pt"}} | header()
    return [
        ("plain", "an input and an output", safetensors(header()),
         _values(input__features=x, output__scores=y)),
        ("oracle", "with the oracle's output", safetensors(oracle, DATA + o.astype("<f8").tobytes()),
         _values(oracle__scores=o)),
        ("metadata", "metadata is allowed", safetensors(metadata), _values(input__features=x)),
        ("other-order", "the header's order need not be that of the data",
         safetensors(swapped, y.tobytes() + x.tobytes()), _values(input__features=x, output__scores=y)),
        ("special", "NaN, infinities and minus zero", safetensors(header(), special.tobytes() + DATA[32:]),
         _values(input__features=special)),
    ]  # fmt: skip


def _bad() -> dict[str, tuple[str, str, bytes]]:
    whole = safetensors(header())
    text = json.dumps(header()).encode()
    big = (1 << 53) - 1
    extra = {"dtype": "F32", "shape": [1], "data_offsets": [56, 60]}
    flags = {"dtype": "BOOL", "shape": [2, 4], "data_offsets": [0, 8]}
    return {
        "empty": (INVALID, "an empty file", b""),
        "seven-bytes": (INVALID, "no whole header length", whole[:7]),
        "header-past-end": (INVALID, "a header longer than the file", safetensors(header(), claimed=4096)),
        "header-huge": (LIMIT, "a header that claims 2^62 bytes", safetensors(header(), claimed=1 << 62)),
        "header-negative": (LIMIT, "a header length with the top bit", safetensors(header(), claimed=1 << 63)),
        "header-over-limit": (LIMIT, "a header above 1 MiB", safetensors(header(), claimed=(1 << 20) + 1)),
        "header-empty": (INVALID, "a header of no bytes", safetensors(b"", b"")),
        "header-array": (INVALID, "a header that is an array", safetensors(b"[]", b"")),
        "header-space": (INVALID, "a header that does not begin with its brace", safetensors(b" " + text)),
        "header-cut-off": (INVALID, "a header cut short", safetensors(text[:-9])),
        "header-trailing": (INVALID, "bytes after the header's object", safetensors(text + b"{}")),
        "header-duplicate": (
            INVALID, "a tensor twice", safetensors(text[:-1] + b', "output:scores": ' + json.dumps(Y).encode() + b"}"),
        ),
        "header-nan": (INVALID, "NaN in the header", safetensors(text.replace(b"[2, 4]", b"[2, NaN]"))),
        "header-deep": (LIMIT, "a header 33 deep", safetensors(b'{"a":' + b"[" * 32 + b"]" * 32 + b"}")),
        "metadata-number": (INVALID, "metadata that is no text", safetensors({"__metadata__": {"a": 1}} | header())),
        "member-missing": (INVALID, "a tensor without offsets", safetensors({"input:features": {"dtype": "F32", "shape": []}})),
        "member-novel": (INVALID, "a member nobody knows", safetensors(header(strides=[4, 1]))),
        "dtype-unknown": (INVALID, "a dtype nobody knows", safetensors(header(dtype="F8_E4M3"))),
        "dtype-lower": (INVALID, "a dtype in lower case", safetensors(header(dtype="f32"))),
        "dtype-other": (
            INVALID, "another dtype than the signature's",
            safetensors(header(dtype="I32")),
        ),
        "dtype-bool": (
            INVALID, "a BOOL where the signature has FP32",
            safetensors({"input:features": flags, "output:scores": Y | {"data_offsets": [8, 32]}}, bytes(32)),
        ),
        "shape-negative": (INVALID, "a negative dim", safetensors(header(shape=[-2, -4]))),
        "shape-fraction": (INVALID, "a dim written as 2.0", safetensors(text.replace(b"[2, 4]", b"[2.0, 4]"))),
        "shape-text": (INVALID, "a dim that is text", safetensors(header(shape=["n", 4]))),
        "shape-huge": (LIMIT, "2^106 elements", safetensors(header(shape=[big, big]))),
        "shape-huge-and-empty": (INVALID, "no elements, in dims no array has", safetensors(
            header(shape=[big, big, 0], data_offsets=[0, 0]), DATA[32:])),
        "shape-rank": (INVALID, "17 dims", safetensors(header(shape=[1] * 15 + [2, 4]))),
        "shape-other": (INVALID, "another fixed dim than the signature's", safetensors(header(shape=[4, 2]))),
        "shape-flat": (INVALID, "another rank than the signature's", safetensors(header(shape=[8]))),
        "shape-too-short": (INVALID, "fewer bytes than the shape needs", safetensors(header(shape=[3, 4]))),
        "offsets-reversed": (INVALID, "an end before its begin", safetensors(header(data_offsets=[32, 0]))),
        "offsets-negative": (INVALID, "a negative begin", safetensors(header(data_offsets=[-32, 0]))),
        "offsets-three": (INVALID, "three offsets", safetensors(header(data_offsets=[0, 16, 32]))),
        "offsets-fraction": (INVALID, "an offset written as 32.0", safetensors(text.replace(b"[0, 32]", b"[0, 32.0]"))),
        "offsets-huge": (INVALID, "an end of 2^53 - 1", safetensors(header(data_offsets=[0, big]))),
        "offsets-over-2-53": (INVALID, "an end of 2^63", safetensors(header(data_offsets=[0, 1 << 63]))),
        "overlap": (
            INVALID, "two tensors over the same bytes",
            safetensors({"input:features": X, "output:scores": Y | {"data_offsets": [8, 32]}}, DATA[:32]),
        ),
        "gap": (
            INVALID, "a gap between two tensors",
            safetensors({"input:features": X, "output:scores": Y | {"data_offsets": [36, 60]}}, DATA + bytes(4)),
        ),
        "starts-late": (
            INVALID, "a gap before the first tensor",
            safetensors({"input:features": X | {"data_offsets": [4, 36]}, "output:scores": Y | {"data_offsets": [36, 60]}},
                        bytes(4) + DATA),
        ),
        "trailing": (INVALID, "bytes after the last tensor", safetensors(header(), DATA + b"\0")),
        "cut-off": (INVALID, "the last tensor cut short", safetensors(header(), DATA[:-1])),
        "missing-input": (INVALID, "an input that is not there", safetensors({"output:scores": Y | {"data_offsets": [0, 24]}}, DATA[:24])),
        "missing-output": (INVALID, "an output that is not there", safetensors({"input:features": X}, DATA[:32])),
        "unknown-tensor": (INVALID, "a tensor of another name", safetensors(header() | {"input:more": extra}, DATA + bytes(4))),
        "unprefixed-tensor": (INVALID, "a name without its side", safetensors(header() | {"features": extra}, DATA + bytes(4))),
        "oracle-dtype": (
            INVALID, "an oracle that is not FP64",
            safetensors(header() | {"oracle:scores": Y | {"data_offsets": [56, 80]}}, DATA + bytes(24)),
        ),
        "oracle-shape": (
            INVALID, "an oracle of another shape",
            safetensors(header() | {"oracle:scores": {"dtype": "F64", "shape": [3, 2], "data_offsets": [56, 104]}}, DATA + bytes(48)),
        ),
        "oracle-of-input": (
            INVALID, "an oracle of an input",
            safetensors(header() | {"oracle:features": {"dtype": "F64", "shape": [2, 4], "data_offsets": [56, 120]}}, DATA + bytes(64)),
        ),
        "symbol-conflict": (
            INVALID, "a batch of 2 in, of 1 out",
            safetensors({"input:features": X, "output:scores": {"dtype": "F32", "shape": [1, 3], "data_offsets": [32, 44]}}, DATA[:44]),
        ),
        "symbol-range": (
            INVALID, "a batch of 0 where the least is 1",
            safetensors({"input:features": {"dtype": "F32", "shape": [0, 4], "data_offsets": [0, 0]},
                         "output:scores": {"dtype": "F32", "shape": [0, 3], "data_offsets": [0, 0]}}, b""),
        ),
    }  # fmt: skip


def _strings(target: Path) -> list[dict[str, Any]]:
    case = GoldenCase(
        "text", "text", 2,
        {"carrier": np.array(["AA", None], dtype=object), "distance": np.array([1, 2], np.float32)},
        {"score": np.array([3, 4], np.float32), "label": np.array(["short", ""], dtype=object)},
    )  # fmt: skip
    numeric, text = write_golden(case, SIGNATURES["text"])
    (target / "good" / "text.safetensors").write_bytes(numeric)
    good = (text or b"").decode()
    variants: dict[str, tuple[str | None, str, str]] = {
        "text": (None, "text and null", good),
        "text-number": (INVALID, "a number among the strings", good.replace("null", "1")),
        "text-count": (INVALID, "a shape of three for two strings", _shape(good, "3")),
        "text-negative": (INVALID, "a negative dim", _shape(good, "-2")),
        "text-fraction": (INVALID, "a dim written as 2.0", _shape(good, "2.0")),
        "text-rank": (INVALID, "another rank than the signature's", _shape(good, "2, 1")),
        "text-huge": (INVALID, "2^53 - 1 strings that are not there", _shape(good, str((1 << 53) - 1))),
        "text-novel": (INVALID, "a member nobody knows", good.replace('"shape"', '"size": 2, "shape"', 1)),
        "text-missing": (INVALID, "a tensor that is not there", good.replace("output:label", "output:other")),
        "text-numeric": (INVALID, "a numeric tensor among the strings", good.replace("output:label", "output:score")),
        "text-duplicate": (INVALID, "a tensor twice", good.replace("output:label", "input:carrier")),
        "text-surrogate": (INVALID, "a lone surrogate", good.replace('"AA"', '"\\ud800"')),
        "text-array": (INVALID, "an array at the top", "[]"),
        "text-trailing": (INVALID, "bytes after the object", good + "{}"),
        "text-deep": (LIMIT, "33 levels", good.replace('"AA"', "[" * 31 + "]" * 31)),
        "text-long": (LIMIT, "a string of 65,537 characters", good.replace("AA", "a" * 65_537)),
    }  # fmt: skip
    cases = []
    for name, (code, why, content) in variants.items():
        path = f"{'bad' if code else 'good'}/{name}.json"
        (target / path).write_text(content, encoding="utf-8")
        members = {
            "file": "good/text.safetensors",
            "strings": path,
            "signature": "text",
            "why": why,
        }
        cases.append(members | ({"code": code} if code else {}))
    cases[0]["values"] = {
        "input:carrier": {"dtype": "BYTES", "shape": [2], "data": ["AA", None]},
        "output:label": {"dtype": "BYTES", "shape": [2], "data": ["short", ""]},
    }
    return cases


def _shape(text: str, dims: str) -> str:
    """The strings with the first shape written anew."""
    begin = text.index('"shape": [') + len('"shape": [')
    return text[:begin] + dims + text[text.index("]", begin) :]
