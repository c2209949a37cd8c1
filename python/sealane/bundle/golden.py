"""Golden cases: inputs with the outputs that were seen for them (bundle format §5)."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sealane.bundle.safetensors import read_safetensors, read_sizes, shaped, write_safetensors
from sealane.bundle.strict_json import parse_strict_json
from sealane.core import DType, ErrorCode, SealaneError, Signature, TensorSpec

if TYPE_CHECKING:
    from sealane.bundle.limits import ReaderLimits
    from sealane.bundle.manifest import GoldenRef

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = dict[str, Array]

INPUT = "input:"
OUTPUT = "output:"
ORACLE = "oracle:"


@dataclass(frozen=True, slots=True, eq=False)
class GoldenCase:
    """One call of the model, kept to be replayed.

    Attributes:
        id: Unique in the bundle.
        purpose: What the case is for (``sample``, ``boundary``, ``batch-1``…).
        batch: Rows of the case; 0 for none.
        inputs: Signature name → array of the signature's dtype and shape; BYTES are object
            arrays of str or None. Arrays that were read from a bundle are read-only.
        outputs: The source framework's outputs, by signature name.
        oracle: float64 outputs of the oracle, for some float outputs.
    """

    id: str
    purpose: str
    batch: int
    inputs: Arrays
    outputs: Arrays
    oracle: Arrays = field(default_factory=dict[str, Array])


def write_golden(case: GoldenCase, signature: Signature) -> tuple[bytes, bytes | None]:
    """The bytes of a case: its safetensors file and, when it has BYTES, its JSON file.

    Raises:
        SealaneError: GOLDEN_INVALID when the case does not fit the signature.
    """
    where = f"golden case {case.id!r}"
    _check_case(case, signature, where)
    numeric: Arrays = {}
    strings: dict[str, object] = {}
    for prefix, specs, arrays in (
        (INPUT, signature.inputs, case.inputs),
        (OUTPUT, signature.outputs, case.outputs),
    ):
        for spec in specs:
            array = arrays[spec.name]
            if spec.dtype is DType.BYTES:
                data = [None if each is None else str(each) for each in array.ravel().tolist()]
                strings[prefix + spec.name] = {"shape": list(array.shape), "data": data}
            else:
                numeric[prefix + spec.name] = array
    for name, array in case.oracle.items():
        numeric[ORACLE + name] = array
    if not strings:
        return write_safetensors(numeric), None
    text = json.dumps(strings, ensure_ascii=False, indent=1)
    return write_safetensors(numeric), text.encode("utf-8") + b"\n"


def read_golden(
    ref: GoldenRef,
    numeric: bytes,
    strings: bytes | None,
    signature: Signature,
    limits: ReaderLimits,
) -> GoldenCase:
    """Parse one case and check it against the signature.

    Args:
        ref: The case's entry in the manifest.
        numeric: The bytes of its safetensors file.
        strings: The bytes of its JSON file, None when it has none.
        signature: The bundle's signature.
        limits: The reader's bounds.

    Raises:
        SealaneError: GOLDEN_INVALID, LIMIT_EXCEEDED.
    """
    tensors = read_safetensors(numeric, limits, ref.path)
    texts: Arrays = {}
    if strings is not None:
        texts = _read_strings(strings, limits, str(ref.strings))
    inputs = _gather(INPUT, signature.inputs, tensors, texts, ref.path)
    outputs = _gather(OUTPUT, signature.outputs, tensors, texts, ref.path)
    oracle = {
        name.removeprefix(ORACLE): tensors.pop(name)
        for name in list(tensors)
        if name.startswith(ORACLE)
    }
    if tensors or texts:
        odd = min((*tensors, *texts))
        raise _invalid(ref.path, f"tensor {odd[:80]!r} is not in the signature")
    case = GoldenCase(ref.id, ref.purpose, ref.batch, inputs, outputs, oracle)
    _check_case(case, signature, ref.path)
    return case


def _gather(
    prefix: str, specs: tuple[TensorSpec, ...], tensors: Arrays, texts: Arrays, where: str
) -> Arrays:
    found: Arrays = {}
    for spec in specs:
        source = texts if spec.dtype is DType.BYTES else tensors
        if prefix + spec.name not in source:
            raise _invalid(where, f"tensor {prefix + spec.name!r} is missing")
        found[spec.name] = source.pop(prefix + spec.name)
    return found


def _read_strings(data: bytes, limits: ReaderLimits, where: str) -> Arrays:
    root = parse_strict_json(data, limits, where=where, code=ErrorCode.GOLDEN_INVALID)
    if not isinstance(root, dict):
        raise _invalid(where, "expected an object")
    return {
        name: _strings_of(value, name, where)
        for name, value in cast("dict[str, object]", root).items()
    }


def _strings_of(value: object, name: str, where: str) -> Array:
    members = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    shape, data = members.get("shape"), members.get("data")
    if (
        members.keys() != {"shape", "data"}
        or not isinstance(shape, list)
        or not isinstance(data, list)
    ):
        raise _invalid(where, f"tensor {name[:80]!r} must have exactly the arrays shape and data")
    dims = read_sizes(cast("list[object]", shape), name, where)
    texts = cast("list[object]", data)
    count = math.prod(dims)
    if count != len(texts):
        raise _invalid(where, f"tensor {name[:80]!r}: {len(texts)} strings for shape {dims}")
    if not all(each is None or isinstance(each, str) for each in texts):
        raise _invalid(where, f"tensor {name[:80]!r}: data holds something else than text and null")
    array = np.empty(count, dtype=np.object_)
    array[:] = texts
    array.flags.writeable = False
    return shaped(array, dims, name, where)


def _check_case(case: GoldenCase, signature: Signature, where: str) -> None:
    sizes: dict[str, int] = {}
    for what, specs, arrays in (
        ("input", signature.inputs, case.inputs),
        ("output", signature.outputs, case.outputs),
    ):
        if arrays.keys() != {spec.name for spec in specs}:
            odd = sorted(arrays.keys() ^ {spec.name for spec in specs})
            raise _invalid(where, f"{what}s differ from the signature's: {odd[:8]}")
        for spec in specs:
            _check_tensor(spec, arrays[spec.name], sizes, where)
    for name, array in case.oracle.items():
        spec = signature.output(name)
        if spec is None or not spec.dtype.is_float:
            raise _invalid(where, f"oracle {name[:80]!r} is no float output")
        if array.dtype != np.float64 or array.shape != case.outputs[name].shape:
            raise _invalid(where, f"oracle {name!r} must be FP64 of its output's shape")
    _check_symbols(sizes, signature, where)


def _check_tensor(spec: TensorSpec, array: Array, sizes: dict[str, int], where: str) -> None:
    if DType.from_numpy(array.dtype) is not spec.dtype:
        raise _invalid(where, f"{spec.name!r} is {array.dtype}, expected {spec.dtype.value}")
    if len(array.shape) != len(spec.shape):
        raise _invalid(where, f"{spec.name!r} has shape {array.shape}, expected {spec}")
    for dim, size in zip(spec.shape, array.shape, strict=True):
        expected = dim if isinstance(dim, int) else sizes.setdefault(dim, size)
        if expected != size:
            raise _invalid(
                where,
                f"{spec.name!r} has shape {array.shape}, expected {spec} with {dim}={expected}",
            )


def _check_symbols(sizes: dict[str, int], signature: Signature, where: str) -> None:
    for symbol, size in sizes.items():
        bounds = signature.symbols.get(symbol)
        if bounds is None:
            continue
        above = bounds.maximum is not None and size > bounds.maximum
        if size < bounds.minimum or above or size % bounds.multiple_of:
            raise _invalid(where, f"symbol {symbol} is {size}, outside its range {bounds}")


def _invalid(where: str, problem: str) -> SealaneError:
    return SealaneError(ErrorCode.GOLDEN_INVALID, f"{where}: {problem}", {"path": where})
