"""Results of two engines, compared row by row."""

from __future__ import annotations

import decimal
import json

import pyarrow as pa
import pytest

from sealane.bundle import Verdict, judge
from sealane.core import DType, TensorSpec
from sealane.spark.comparison import RowsComparison, compare_batch

FLAT = (TensorSpec("y", DType.FP32, ("batch", 2)),)
ROW = pa.list_(pa.float32())
NONE = [None, None]


def batch(kind, a, b, a_code=NONE, b_code=NONE) -> pa.RecordBatch:
    columns = {"a": pa.array(a, kind), "b": pa.array(b, kind)}
    codes = {"a_code": pa.array(a_code, pa.string()), "b_code": pa.array(b_code, pa.string())}
    return pa.RecordBatch.from_pydict({**columns, **codes})


def verdict(found: RowsComparison, spec: TensorSpec, *, same_engine: bool) -> Verdict:
    metrics = found.outputs[spec.name].metrics(spec, found.compared)
    return judge([metrics], None, same_engine)


def test_equal_bits_are_counted_by_row_and_nan_equals_nan():
    nan = float("nan")
    found = compare_batch(batch(ROW, [[1, nan], [2, 3]], [[1, nan], [2, 3.0000003]]), FLAT)
    assert (found.rows, found.compared, found.codes) == (2, 2, {})
    assert found.outputs["y"].bit_equal_rows == 1
    assert found.outputs["y"].max_abs == pytest.approx(2.4e-7, rel=0.01)
    assert verdict(found, FLAT[0], same_engine=True) is Verdict.WITHIN_ORACLE


@pytest.mark.parametrize("wrong", [[2, 3.001], [3, 2], [2, float("nan")], [2, float("inf")]])
def test_a_planted_fault_is_found(wrong):
    found = compare_batch(batch(ROW, [[1, 2], wrong], [[1, 2], [2, 3]]), FLAT)
    assert found.outputs["y"].bit_equal_rows == 1
    assert verdict(found, FLAT[0], same_engine=True) is Verdict.FAILED


def test_rows_of_which_the_engines_say_something_else():
    table = batch(ROW, [[1, 2], None], [None, None], NONE, ["INPUT_NULL", "INPUT_NULL"])
    found = compare_batch(table, FLAT)
    assert (found.rows, found.compared) == (2, 0)
    assert found.codes == {"- INPUT_NULL": 2}
    same = compare_batch(batch(ROW, NONE, NONE, ["INPUT_NULL"] * 2, ["INPUT_NULL"] * 2), FLAT)
    assert (same.compared, same.codes) == (0, {})


def test_parts_add_up_and_travel_as_json():
    one = compare_batch(batch(ROW, [[1, 2], [3, 4]], [[1, 2], [3, 4.5]]), FLAT)
    two = compare_batch(batch(ROW, [[9, 2], [3, 4]], [[9, 2], [3, 4]]), FLAT)
    both = RowsComparison.of_none(FLAT).plus(one).plus(two)
    assert (both.rows, both.outputs["y"].bit_equal_rows) == (4, 3)
    assert (both.outputs["y"].max_abs, both.outputs["y"].scale) == (0.5, 9.0)
    assert RowsComparison.from_json(json.loads(json.dumps(both.to_json()))) == both


def test_several_outputs_of_all_kinds():
    specs = (
        TensorSpec("u", DType.UINT64, ("batch",)),
        TensorSpec("s", DType.BYTES, ("batch", "n")),
        TensorSpec("h", DType.BF16, ("batch", 1, 2)),
        TensorSpec("b", DType.BOOL, ("batch",)),
    )
    kind = pa.struct(
        {
            "u": pa.decimal128(20, 0),
            "s": pa.list_(pa.string()),
            "h": pa.list_(pa.list_(pa.float32())),
            "b": pa.bool_(),
        }
    )
    whole = {"u": decimal.Decimal(2**64 - 1), "s": ["a", None], "h": [[1.0, 2.5]], "b": True}
    other = {"u": decimal.Decimal(2**64 - 2), "s": ["a"], "h": [[1.0, -2.0]], "b": False}
    same = compare_batch(batch(kind, [whole, other], [whole, other]), specs)
    assert {each.bit_equal_rows for each in same.outputs.values()} == {2}
    differ = compare_batch(batch(kind, [whole, whole], [whole, other]), specs)
    assert {each.bit_equal_rows for each in differ.outputs.values()} == {1}
    assert differ.outputs["u"].max_abs == 1.0
    assert differ.outputs["s"].max_abs == float("inf")
    assert all(verdict(differ, each, same_engine=True) is Verdict.FAILED for each in specs)


def test_no_rows():
    found = compare_batch(batch(ROW, [], [], [], []), FLAT)
    assert found == RowsComparison.of_none(FLAT)
