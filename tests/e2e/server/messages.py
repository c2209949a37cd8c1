"""The few gRPC messages that tests send and read, as protobuf's wire format."""

from __future__ import annotations

import struct

INFER = "/inference.GRPCInferenceService/ModelInfer"
STREAM = "/inference.GRPCInferenceService/ModelStreamInfer"
PREDICT = "/tensorflow.serving.PredictionService/Predict"


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _row(row: list[float]) -> bytes:
    return struct.pack(f"<{len(row)}f", *row)


def infer(model: str, row: list[float], name: str = "x") -> bytes:
    """A ModelInferRequest of one row of an input."""
    tensor = (
        _field(1, name)
        + _field(2, "FP32")
        + _field(3, _varint(1) + _varint(len(row)))
        + _field(5, _field(6, _row(row)))
    )
    return _field(1, model) + _field(5, tensor)


def predict(model: str, row: list[float]) -> bytes:
    """A PredictRequest of one row of ``x``."""
    shape = _field(2, _field(1, 1)) + _field(2, _field(1, len(row)))
    tensor = _field(1, 1) + _field(2, shape) + _field(5, _row(row))
    return _field(1, _field(1, model)) + _field(2, _field(1, "x") + _field(2, tensor))


def infer_bytes(model: str, values: list[bytes], name: str, *, raw: bool) -> bytes:
    """A ModelInferRequest of one BYTES input, raw or as the list of its type."""
    tensor = _field(1, name) + _field(2, "BYTES") + _field(3, _varint(len(values)))
    if not raw:
        listed = b"".join(_field(8, value) for value in values)
        return _field(1, model) + _field(5, tensor + _field(5, listed))
    return _field(1, model) + _field(5, tensor) + _field(7, prefixed(values))


def predict_bytes(model: str, values: list[bytes], name: str) -> bytes:
    """A PredictRequest of one DT_STRING input."""
    shape = _field(2, _field(1, len(values)))
    tensor = _field(1, 7) + _field(2, shape) + b"".join(_field(8, value) for value in values)
    return _field(1, _field(1, model)) + _field(2, _field(1, name) + _field(2, tensor))


def predictions(model: str, value: bytes, name: str) -> bytes:
    """TorchServe's PredictionsRequest of one input."""
    return _field(1, model) + _field(3, _field(1, name) + _field(2, value))


def prefixed(values: list[bytes]) -> bytes:
    """BYTES as the binary tensor data extension has them."""
    return b"".join(struct.pack("<I", len(value)) + value for value in values)


def fields(message: bytes) -> dict[int, int | bytes]:
    """The last value of each field that is a number or has a length."""
    found: dict[int, int | bytes] = {}
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        key = number()
        value = number()
        if key & 7 == 2:
            found[key >> 3] = message[at : at + value]
            at += value
        else:
            assert key & 7 == 0, key
            found[key >> 3] = value
    return found
