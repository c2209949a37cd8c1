"""Golden cases: the shared good and bad files, and round trips."""

from __future__ import annotations

import json

import numpy as np
import pytest
from corpus.run import CONFORMANCE

from sealane.bundle import GoldenCase, GoldenRef, ReaderLimits
from sealane.bundle.golden import read_golden, write_golden
from sealane.bundle.safetensors import read_safetensors, write_safetensors
from sealane.bundle.signature_parser import parse_signature
from sealane.core import DType, ErrorCode, SealaneError, Signature, TensorSpec

FOLDER = CONFORMANCE / "golden"
EXPECTED = json.loads((FOLDER / "expected.json").read_bytes())
SIGNATURES = {
    name: parse_signature(lenient=False)(value, name)
    for name, value in EXPECTED["signatures"].items()
}


def read(case: dict) -> GoldenCase:
    strings = (FOLDER / case["strings"]).read_bytes() if "strings" in case else None
    ref = GoldenRef("case", "golden/case.safetensors", "test", 1, strings and "golden/case.json")
    data = (FOLDER / case["file"]).read_bytes()
    return read_golden(ref, data, strings, SIGNATURES[case["signature"]], ReaderLimits())


@pytest.mark.parametrize(
    "case", EXPECTED["cases"], ids=lambda case: case.get("strings", case["file"]).rpartition("/")[2]
)
def test_corpus(case):
    if "code" in case:
        with pytest.raises(SealaneError) as caught:
            read(case)
        assert caught.value.code is ErrorCode[case["code"]], str(caught.value)
        return
    golden = read(case)
    sides = {"input": golden.inputs, "output": golden.outputs, "oracle": golden.oracle}
    for name, value in case["values"].items():
        side, _, tensor = name.partition(":")
        found = sides[side][tensor]
        assert DType.from_numpy(found.dtype) is DType(value["dtype"])
        assert list(found.shape) == value["shape"]
        data = found.tolist() if value["dtype"] == "BYTES" else found.tobytes().hex()
        assert data == value["data"]


def test_every_file_of_the_corpus_is_a_case():
    named = {case[key] for case in EXPECTED["cases"] for key in ("file", "strings") if key in case}
    there = {str(path.relative_to(FOLDER)) for path in FOLDER.glob("*/*")}
    assert there == named


def test_round_trip_of_every_dtype():
    specs = tuple(TensorSpec(each.value, each, ("n",)) for each in DType)
    signature = Signature(specs, specs)
    arrays = {
        each.value: np.array(["", None, "ß🛫"], dtype=object)
        if each is DType.BYTES
        else np.array([0, 1, 1]).astype(each.numpy)
        for each in DType
    }
    case = GoldenCase("case", "all", 3, arrays, arrays)
    numeric, strings = write_golden(case, signature)
    ref = GoldenRef("case", "golden/case.safetensors", "all", 3, "golden/case.json")
    back = read_golden(ref, numeric, strings, signature, ReaderLimits())
    for name, array in arrays.items():
        np.testing.assert_array_equal(back.inputs[name], array)
        assert back.outputs[name].dtype == array.dtype
        assert not back.inputs[name].flags.writeable


def test_big_endian_and_strided_arrays_are_written_little_endian_and_dense():
    values = np.arange(12, dtype=">f4").reshape(3, 4)[:, ::2]
    back = read_safetensors(write_safetensors({"x": values}), ReaderLimits(), "x")["x"]
    np.testing.assert_array_equal(back, values)
    assert back.dtype == np.dtype("<f4")


@pytest.mark.parametrize("count", range(60))
def test_no_header_length_looks_like_forbidden_content(count):
    data = write_safetensors({"x" * 8 * count: np.zeros(1, np.float32), "y" * 400: np.zeros(1)})
    assert not (data[0] == 0x80 and 2 <= data[1] <= 5)
    assert data[:2] != b"MZ"
    assert len(read_safetensors(data, ReaderLimits(), "x")) == 2


def test_a_case_that_does_not_fit_the_signature_is_not_written():
    signature = Signature(
        (TensorSpec("x", DType.FP32, ("n",)),), (TensorSpec("y", DType.FP32, ("n",)),)
    )
    good, short = np.zeros(2, np.float32), np.zeros(1, np.float32)
    for inputs, outputs in (
        ({}, {"y": good}),
        ({"x": good}, {"y": short}),
        ({"x": good.astype(np.float64)}, {"y": good}),
    ):
        with pytest.raises(SealaneError) as caught:
            write_golden(GoldenCase("case", "bad", 2, inputs, outputs), signature)
        assert caught.value.code is ErrorCode.GOLDEN_INVALID
