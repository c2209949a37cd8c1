"""A call's inputs against the signature: what is accepted, converted and refused."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealane.core import (
    Domain,
    DType,
    ErrorCode,
    SealaneError,
    Signature,
    SymbolRange,
    TensorSpec,
)
from sealane.runtime.inputs import InputParser, requested_outputs

Y = TensorSpec("y", DType.FP32, ("batch",))


def parser(*specs: TensorSpec, **symbols: SymbolRange) -> InputParser:
    return InputParser(Signature(tuple(specs), (Y,), symbols))


def spec(dtype: DType, *shape: int | str, domain: Domain | None = None) -> TensorSpec:
    return TensorSpec("x", dtype, shape, domain=domain)


def parse(one: TensorSpec, value: object, **symbols: SymbolRange) -> np.ndarray:
    return parser(one, **symbols).parse({"x": value})["x"]


def refused(one: TensorSpec, value: object, **symbols: SymbolRange) -> SealaneError:
    with pytest.raises(SealaneError) as caught:
        parse(one, value, **symbols)
    assert "'x'" in caught.value.message
    return caught.value


@pytest.mark.parametrize("dtype", [each for each in DType if each is not DType.BYTES])
def test_an_array_of_the_declared_dtype_is_passed_on_without_a_copy(dtype):
    array = np.ones((2, 3), dtype.numpy)
    assert parse(spec(dtype, "batch", 3), array) is array


@pytest.mark.parametrize("dtype", [DType.INT16, DType.UINT32, DType.INT64, DType.FP16, DType.FP64])
def test_big_endian_arrays_become_native_with_the_same_values(dtype):
    array = np.arange(6).astype(dtype.numpy.newbyteorder(">")).reshape(2, 3)
    result = parse(spec(dtype, "batch", 3), array)
    assert result.dtype == dtype.numpy
    assert result.dtype.isnative
    np.testing.assert_array_equal(result, array)


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a[::2],
        lambda a: a.T,
        lambda a: a[:, ::-1],
        np.asfortranarray,
        lambda a: np.broadcast_to(a[0], a.shape),
    ],
)
def test_strided_arrays_become_contiguous_with_the_same_values(view):
    array = view(np.arange(24, dtype=np.float32).reshape(6, 4))
    result = parse(spec(DType.FP32, "rows", "columns"), array)
    assert result.flags.c_contiguous
    np.testing.assert_array_equal(result, array)


def test_unaligned_arrays_become_aligned():
    raw = np.zeros(13, np.uint8)[1:].view(np.float32)
    assert not raw.flags.aligned
    assert parse(spec(DType.FP32, 3), raw).flags.aligned


def test_scalars_have_rank_0():
    for value in (np.float32(2), np.array(2, np.float32), 2, 2.0):
        result = parse(spec(DType.FP32), value)
        assert result.shape == ()
        assert result == 2


def test_inputs_come_out_in_the_order_of_the_signature():
    one = parser(TensorSpec("b", DType.INT64, ("batch",)), TensorSpec("a", DType.INT64, ("batch",)))
    assert list(one.parse({"a": [1], "b": [2]})) == ["b", "a"]


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        (DType.INT64, [1, 2, -3], [1, 2, -3]),
        (DType.UINT8, (0, 255), [0, 255]),
        (DType.UINT64, [2**64 - 1], [2**64 - 1]),
        (DType.INT32, [1.0, 2.0], [1, 2]),
        (DType.INT32, [np.int64(5), 6], [5, 6]),
        (DType.FP32, [1, 2.5], [1.0, 2.5]),
        (DType.FP32, [0.1], [np.float32(0.1)]),
        (DType.FP32, [2**24], [2.0**24]),
        (DType.FP32, [2**30], [2.0**30]),
        (DType.FP64, [np.float32(0.5), np.int8(1)], [0.5, 1.0]),
        (DType.BF16, [1.5], [1.5]),
        (DType.BOOL, [True, False, np.True_], [True, False, True]),
        (DType.FP32, [float("inf"), float("-inf")], [np.inf, -np.inf]),
    ],
)
def test_python_values_are_converted_when_the_dtype_holds_them(dtype, value, expected):
    result = parse(spec(dtype, "n"), value)
    assert result.dtype == dtype.numpy
    assert result.tolist() == np.array(expected, dtype.numpy).tolist()


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        (DType.INT64, [1, 1.5]),
        (DType.INT64, [2**63]),
        (DType.INT64, [float("inf")]),
        (DType.UINT8, [1, 256]),
        (DType.UINT8, [1, np.int64(300)]),
        (DType.UINT32, [1, -1]),
        (DType.INT64, [1, True]),
        (DType.FP32, [1.0, True]),
        (DType.BOOL, [True, 1]),
        (DType.FP32, [1, 2**24 + 1]),
        (DType.FP64, [1, 2**53 + 1]),
        (DType.FP64, [1, 10**400]),
        (DType.FP32, [1, 1e39]),
        (DType.FP16, [1, 70000.0]),
        (DType.FP32, ["1.0", "2"]),
        (DType.FP32, [1.0, object()]),
        (DType.BYTES, ["a", 1]),
        (DType.BYTES, ["a", b"\xff"]),
        (DType.BYTES, ["a", "\ud800"]),
        (DType.BYTES, np.array(["a", "\ud800"], object)),
        (DType.BYTES, np.array([b"a", b"\xff"])),
    ],
)
def test_python_values_the_dtype_can_not_hold_are_refused_with_their_row(dtype, value):
    error = refused(spec(dtype, "n"), value)
    assert error.code is ErrorCode.INPUT_DTYPE
    assert error.details["row"] == (0 if value[0] in (2**63, float("inf"), "1.0") else 1)


@pytest.mark.parametrize(
    "value",
    [
        np.ones(3, np.float64),
        np.ones(3, np.int64),
        np.ones(3, np.complex64),
        np.array(["a"]),
        np.array(["2020-01-01"], "datetime64[D]"),
        pd.Series([1.0, 2.0]),
        range(3),
        {1, 2},
        "text",
        b"bytes",
        {"a": 1},
        iter([1.0]),
        np.ones(3, [("a", np.float32)]),
    ],
)
def test_typed_values_of_another_dtype_are_refused(value):
    error = refused(spec(DType.FP32, "n"), value)
    assert error.code is ErrorCode.INPUT_DTYPE
    assert "FP32" in error.message


@pytest.mark.parametrize("dtype", [each for each in DType if each is not DType.BYTES])
def test_numbers_are_not_text(dtype):
    error = refused(spec(DType.BYTES, "n"), np.ones(3, dtype.numpy))
    assert error.code is ErrorCode.INPUT_DTYPE


def test_a_refused_array_says_how_to_convert_it():
    message = refused(spec(DType.BF16, "n"), np.ones(3, np.float32)).message
    assert "float32" in message
    assert "astype('bfloat16')" in message


@pytest.mark.parametrize(
    ("value", "row"),
    [
        ([[1, 2], [3]], 1),
        ([[1, 2], [3, 4], 5], 2),
        ([[1, 2], [3, 4], [[5], [6]]], 2),
        ([np.ones(2, np.float32), np.ones(3, np.float32)], 1),
        ([np.ones(2, np.float32), [1.0, 2.0]], 1),
        (np.array([[1.0, 2.0], [3.0]], object), 0),
    ],
)
def test_rows_of_unequal_length_are_ragged(value, row):
    error = refused(spec(DType.FP32, "batch", "n"), value)
    assert error.code is ErrorCode.INPUT_RAGGED
    assert error.details["row"] == row


def test_a_list_of_arrays_is_stacked():
    rows = [np.arange(3, dtype=np.float32), np.ones(3, np.float32)]
    np.testing.assert_array_equal(parse(spec(DType.FP32, "batch", 3), rows), np.stack(rows))


def test_an_empty_batch_takes_its_fixed_dims_from_the_signature():
    assert parse(spec(DType.FP32, "batch", 4), []).shape == (0, 4)
    assert parse(spec(DType.BYTES, "batch"), []).shape == (0,)
    assert refused(spec(DType.FP32, "batch", "n"), []).code is ErrorCode.INPUT_SHAPE


@pytest.mark.parametrize(
    "value",
    [
        np.ones(4, np.float32),
        np.ones((2, 3), np.float32),
        np.ones((2, 4, 1), np.float32),
        [[[1.0] * 4]],
        1.0,
    ],
)
def test_wrong_rank_or_dim_is_refused(value):
    error = refused(spec(DType.FP32, "batch", 4), value)
    assert error.code is ErrorCode.INPUT_SHAPE
    assert error.details["expected"]


def test_endless_nesting_is_refused():
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert refused(spec(DType.FP32, "batch", 4), deep).code is ErrorCode.INPUT_SHAPE
    loop: list[object] = []
    loop.append(loop)
    assert refused(spec(DType.FP32, "batch"), loop).code is ErrorCode.INPUT_SHAPE


def test_a_symbol_has_one_value_in_a_call():
    one = parser(
        TensorSpec("x", DType.FP32, ("batch", 2)), TensorSpec("z", DType.INT64, ("batch",))
    )
    one.parse({"x": np.ones((3, 2), np.float32), "z": [1, 2, 3]})
    with pytest.raises(SealaneError, match="batch = 3") as caught:
        one.parse({"x": np.ones((3, 2), np.float32), "z": [1, 2]})
    assert caught.value.code is ErrorCode.INPUT_SHAPE


@pytest.mark.parametrize("size", [0, 1, 3, 10, 12])
def test_symbol_ranges_are_enforced(size):
    rows = np.ones(size, np.float32)
    error = refused(spec(DType.FP32, "n"), rows, n=SymbolRange(2, 8, 2))
    assert error.code is ErrorCode.INPUT_SHAPE
    assert "multiple of 2" in error.message


def test_sizes_inside_a_symbol_range_pass():
    assert parse(spec(DType.FP32, "n"), [1.0] * 4, n=SymbolRange(2, 8, 2)).shape == (4,)


@pytest.mark.parametrize(
    "value",
    [
        np.broadcast_to(np.uint8(1), (2**31, 2**31)),
        np.broadcast_to(np.uint8(1), (2**62,)),
        np.empty((2**62, 0), np.uint8),
    ],
)
def test_shapes_of_2_to_the_62_elements_are_refused_before_anything_is_copied(value):
    one = spec(DType.UINT8, *(f"d{axis}" for axis in range(value.ndim)))
    assert refused(one, value).code is ErrorCode.INPUT_TOO_LARGE


@pytest.mark.parametrize("text", ["a", np.array("a", object)])
def test_text_of_2_to_the_40_elements_is_refused_before_it_is_read(text):
    huge = np.broadcast_to(text, (2**20, 2**20))
    assert refused(spec(DType.BYTES, "m", "n"), huge).code is ErrorCode.INPUT_TOO_LARGE


def test_names_are_checked_with_a_hint():
    one = parser(spec(DType.FP32, "n"))
    for inputs, code in (
        ({}, ErrorCode.INPUT_MISSING),
        ({"x": [1.0], "extra": [1.0]}, ErrorCode.INPUT_UNKNOWN),
        ({"X": [1.0]}, ErrorCode.INPUT_UNKNOWN),
        ([[1.0]], ErrorCode.INPUT_DTYPE),
        (np.ones(3, np.float32), ErrorCode.INPUT_DTYPE),
    ):
        with pytest.raises(SealaneError) as caught:
            one.parse(inputs)
        assert caught.value.code is code
    longer = parser(TensorSpec("distance", DType.FP32, ("n",)))
    with pytest.raises(SealaneError, match="did you mean 'distance'"):
        longer.parse({"distanse": [1.0]})


def test_requested_outputs_are_checked():
    signature = Signature((), (Y, TensorSpec("z", DType.FP32, ())))
    assert requested_outputs(signature, None) == ("y", "z")
    assert requested_outputs(signature, ["z", "z"]) == ("z",)
    assert requested_outputs(signature, "z") == ("z",)
    with pytest.raises(SealaneError, match="'w' is not an output") as caught:
        requested_outputs(signature, ["w"])
    assert caught.value.code is ErrorCode.INPUT_UNKNOWN


TEXT = ["a", "", "naïve", "日本", "🛫", "a\0b"]


@pytest.mark.parametrize(
    "value",
    [
        TEXT,
        tuple(TEXT),
        np.array(TEXT, object),
        np.array(TEXT, object)[::-1][::-1],
        [each.encode() for each in TEXT],
        np.array([each.encode() for each in TEXT], object),
        pd.Series(TEXT),
        pd.Series(TEXT, dtype="string"),
    ],
)
def test_text_arrives_as_an_object_array_of_str(value):
    result = parse(spec(DType.BYTES, "n"), value)
    assert result.dtype == np.object_
    assert result.tolist() == TEXT
    assert {type(each) for each in result.tolist()} == {str}


def test_a_categorical_column_is_text():
    column = pd.Series(["UA", "AA", "UA"]).astype("category")
    assert parse(spec(DType.BYTES, "n"), column).tolist() == ["UA", "AA", "UA"]


@pytest.mark.parametrize("kind", ["U", "S"])
def test_fixed_width_text_becomes_str(kind):
    result = parse(spec(DType.BYTES, "n", 2), np.array([["ab", "c"], ["", "defg"]], kind))
    assert result.tolist() == [["ab", "c"], ["", "defg"]]


MISSING_TEXT = [
    ["a", None],
    np.array(["a", None], object),
    np.array(["a", np.nan], object),
    pd.Series(["a", None]),
    pd.Series(["a", pd.NA], dtype="string"),
]


@pytest.mark.parametrize("value", MISSING_TEXT)
def test_missing_text_is_the_empty_string_only_when_nullable(value):
    nullable = spec(DType.BYTES, "n", domain=Domain(nullable=True))
    assert parse(nullable, value).tolist() == ["a", ""]
    for domain in (None, Domain()):
        error = refused(spec(DType.BYTES, "n", domain=domain), value)
        assert error.code is ErrorCode.INPUT_NULL
        assert error.details["row"] == 1


def test_a_closed_vocabulary_refuses_other_values():
    closed = Domain(vocabulary=("UA", "AA"), closed=True)
    assert parse(spec(DType.BYTES, "n", domain=closed), ["AA"]).tolist() == ["AA"]
    for value in (["AA", "ZZ"], ["AA", ""]):
        error = refused(spec(DType.BYTES, "n", domain=closed), value)
        assert error.code is ErrorCode.INPUT_DOMAIN
        assert error.details["row"] == 1
    open_end = Domain(vocabulary=("UA",))
    assert parse(spec(DType.BYTES, "n", domain=open_end), ["ZZ"]).tolist() == ["ZZ"]
    optional = Domain(vocabulary=("UA",), closed=True, nullable=True)
    assert parse(spec(DType.BYTES, "n", domain=optional), ["UA", None]).tolist() == ["UA", ""]


@pytest.mark.parametrize("dtype", [DType.FP16, DType.BF16, DType.FP32, DType.FP64])
def test_nan_is_missing_where_a_domain_is_declared(dtype):
    value = np.array([[1, 2], [3, np.nan]], dtype.numpy)
    assert np.isnan(parse(spec(dtype, "n", 2), value)[1, 1])
    nullable = Domain(nullable=True, minimum=0, maximum=5)
    assert np.isnan(parse(spec(dtype, "n", 2, domain=nullable), value)[1, 1])
    error = refused(spec(dtype, "n", 2, domain=Domain()), value)
    assert error.code is ErrorCode.INPUT_NULL
    assert error.details["row"] == 1


def test_none_is_nan_only_in_a_nullable_float():
    nullable = Domain(nullable=True)
    assert np.isnan(parse(spec(DType.FP32, "n", domain=nullable), [1.0, None])[1])
    gaps = pd.Series([1, None], dtype="Int64")
    assert np.isnan(parse(spec(DType.FP32, "n", domain=nullable), gaps)[1])
    for one in (spec(DType.FP32, "n"), spec(DType.INT64, "n", domain=nullable)):
        for value in ([1, None], gaps):
            error = refused(one, value)
            assert error.code is ErrorCode.INPUT_NULL
            assert error.details["row"] == 1
    assert refused(spec(DType.INT64, "n"), [1, float("nan")]).code is ErrorCode.INPUT_NULL


def test_masked_elements_are_missing_values():
    masked = np.ma.masked_array(np.ones(3, np.float32), mask=[False, True, False])
    assert refused(spec(DType.FP32, "n"), masked).code is ErrorCode.INPUT_NULL
    whole = np.ma.masked_array(np.ones(3, np.float32), mask=False)
    result = parse(spec(DType.FP32, "n"), whole)
    assert type(result) is np.ndarray


@pytest.mark.parametrize(
    ("dtype", "value", "row"),
    [
        (DType.FP32, [0.0, 10.5, 99.0], 1),
        (DType.FP32, [0.0, np.inf], 1),
        (DType.FP64, [-np.inf, 1.0], 0),
        (DType.INT64, [1, -1], 1),
        (DType.UINT64, [1, 2**64 - 1], 1),
        (DType.BF16, [1.0, 11.0], 1),
    ],
)
def test_values_outside_the_bounds_are_refused(dtype, value, row):
    domain = Domain(minimum=0, maximum=10)
    error = refused(spec(dtype, "n", domain=domain), np.array(value, dtype.numpy))
    assert error.code is ErrorCode.INPUT_DOMAIN
    assert error.details["row"] == row
    assert "[0, 10]" in error.message


def test_bounds_are_inclusive_and_compared_exactly():
    big = Domain(minimum=0, maximum=2**53)
    assert parse(spec(DType.INT64, "n", domain=big), [0, 2**53]).tolist() == [0, 2**53]
    assert refused(spec(DType.INT64, "n", domain=big), [2**53 + 1]).code is ErrorCode.INPUT_DOMAIN
    tenth = Domain(maximum=0.1)
    above = np.array([np.float32(0.1)])
    assert refused(spec(DType.FP32, "n", domain=tenth), above).code is ErrorCode.INPUT_DOMAIN


def test_a_data_frame_is_a_mapping_of_columns():
    one = parser(
        TensorSpec("hour", DType.INT64, ("batch",)), TensorSpec("carrier", DType.BYTES, ("batch",))
    )
    frame = pd.DataFrame({"carrier": ["UA", "AA"], "hour": [5, 6]})
    parsed = one.parse(frame)
    assert parsed["hour"].tolist() == [5, 6]
    assert parsed["carrier"].tolist() == ["UA", "AA"]


def test_an_unreadable_array_like_is_refused():
    class Broken:
        def __array__(self, dtype=None, copy=None):
            raise RuntimeError("on another device")

    error = refused(spec(DType.FP32, "n"), Broken())
    assert error.code is ErrorCode.INPUT_DTYPE
    assert "another device" in error.message


def test_ml_dtypes_other_than_bfloat16_are_refused():
    assert (
        refused(spec(DType.FP16, "n"), np.ones(2, ml_dtypes.float8_e5m2)).code
        is ErrorCode.INPUT_DTYPE
    )


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.binary(max_size=3)
)
NESTED = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3), max_leaves=8)


@settings(max_examples=300, deadline=None)
@given(value=NESTED, dtype=st.sampled_from(list(DType)), rank=st.integers(0, 3))
def test_any_python_value_is_either_converted_exactly_or_refused(value, dtype, rank):
    one = spec(dtype, *(f"d{axis}" for axis in range(rank)), domain=Domain(nullable=True))
    try:
        result = parse(one, value)
    except SealaneError as error:
        if not error.code.startswith("INPUT_"):
            raise
        return
    assert result.dtype == dtype.numpy
    assert result.ndim == rank
    assert result.flags.c_contiguous
