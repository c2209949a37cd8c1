"""The walk over SavedModels, on the wire level and without TensorFlow."""

from __future__ import annotations

import subprocess
import sys

import pytest
from corpus import wire
from corpus.run import GOOD
from hypothesis import given, settings
from hypothesis import strategies as st

from sealane.bundle import ReaderLimits, read_bundle
from sealane.bundle.protobuf_wire import WireError, fields
from sealane.bundle.saved_model_check import check_saved_model
from sealane.core import ErrorCode, SealaneError

DATA = (GOOD / "both" / "1" / "saved_model.pb").read_bytes()
BUNDLE = read_bundle(GOOD / "both")


def check(data: bytes, limits: ReaderLimits | None = None) -> None:
    check_saved_model(
        BUNDLE.variant("savedmodel"), data, BUNDLE.signature, limits or ReaderLimits()
    )


def test_reading_needs_no_tensorflow():
    program = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "from sealane.bundle import read_bundle\n"
        f"read_bundle({str(GOOD / 'both')!r}, keep=('savedmodel',)).close()\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_the_savers_own_operators_pass_where_the_saver_leads():
    assert b"SaveV2" in DATA
    assert b"RestoreV2" in DATA
    check(DATA)


def test_a_save_hidden_in_a_function_that_a_signature_calls_is_found():
    body = wire.node("save", "SaveV2")
    with_function = wire.with_function(DATA, "hidden", body)
    call = wire.node("extra", "StatefulPartitionedCall", f=wire.field(10, wire.field(1, "hidden")))
    check(with_function)
    with pytest.raises(SealaneError, match="SaveV2") as caught:
        check(wire.with_serving_input(with_function, call))
    assert caught.value.code is ErrorCode.ARTIFACT_UNSAFE


def test_a_function_called_as_an_operator_is_followed_too():
    with_function = wire.with_function(DATA, "hidden", wire.node("save", "SaveV2"))
    with pytest.raises(SealaneError, match="SaveV2"):
        check(wire.with_serving_input(with_function, wire.node("extra", "hidden")))


def test_a_constant_of_moderate_size_passes_and_a_huge_one_does_not():
    def constant(*dims: int) -> bytes:
        shape = b"".join(wire.field(2, wire.varint_field(1, dim)) for dim in dims)
        tensor = wire.varint_field(1, 1) + wire.field(2, shape)
        return wire.with_node(DATA, wire.node("extra", "Const", value=wire.field(8, tensor)))

    check(constant(1 << 26))
    for dims in ((1 << 26) + 1,), (1 << 31, 1 << 31), (1 << 62,), ((1 << 64) - 1,):
        with pytest.raises(SealaneError) as caught:
            check(constant(*dims))
        assert caught.value.code is ErrorCode.ARTIFACT_UNSAFE


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mutated_bytes_are_checked_or_refused_with_a_code(data):
    content = bytearray(DATA)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    try:
        check(bytes(content))
    except SealaneError as error:
        assert error.code in (  # noqa: PT017 - either outcome is right
            ErrorCode.ARTIFACT_INVALID,
            ErrorCode.ARTIFACT_UNSAFE,
            ErrorCode.LIMIT_EXCEEDED,
        )


@given(st.binary(max_size=40))
def test_any_bytes_are_fields_or_a_wire_error(data):
    try:
        list(fields(memoryview(data)))
    except WireError:
        return


@given(
    st.lists(
        st.tuples(st.integers(1, 1 << 20), st.integers(0, (1 << 64) - 1) | st.binary(max_size=300))
    )
)
def test_fields_read_what_was_written(written):
    data = b"".join(
        wire.varint_field(number, value) if isinstance(value, int) else wire.field(number, value)
        for number, value in written
    )
    read = [(n, v if isinstance(v, int) else bytes(v)) for n, v in fields(memoryview(data))]
    assert read == written
