"""The same tensors in process and over each protocol: the same bits come out (scenario S28)."""

from __future__ import annotations

import itertools
import json
import re

import grpc
import ml_dtypes
import numpy as np
import pytest
from e2e.server.conftest import GOOD
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

import sealane
from sealane.bundle import read_bundle

MODELS = ("mlp", "dtypes", "strings", "domains")
LENGTH = "Inference-Header-Content-Length"
REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
INFERENCE = "inference.GRPCInferenceService"
PREDICTION = "tensorflow.serving.PredictionService"
BINARY_ONLY = ("FP16", "BF16")
"""Neither JSON nor the typed fields of V2's gRPC can carry these."""
ROWS = 61
SEED = 28


def values(spec, rng, *, computed):
    """Any value of the dtype, the edges of floats among them; not the largest for arithmetic."""
    shape = [dim if isinstance(dim, int) else ROWS for dim in spec.shape]
    dtype = spec.dtype.value
    count = int(np.prod(shape))
    if dtype == "BYTES":
        texts = ["", "a", "é", "日本", 'a\tb"c\\', "\U0001f600", "UA", "WN"]
        return np.array([texts[i % len(texts)] for i in range(count)], object).reshape(shape)
    kind = spec.dtype.numpy
    if dtype == "BOOL":
        return rng.integers(0, 2, shape).astype(bool)
    bits = np.frombuffer(rng.bytes(count * kind.itemsize), kind).reshape(shape).copy()
    if not spec.dtype.is_float:
        return bits
    info = ml_dtypes.finfo(kind)
    edges = [-0.0, 0.0, info.smallest_subnormal, -info.smallest_subnormal, info.smallest_normal]
    edges += [-info.smallest_normal, 1.0, info.eps]
    if computed:
        bits = rng.normal(0, 100, shape).astype(kind)
    else:
        edges += [info.max, info.min]
    flat = bits.reshape(-1)
    flat[: len(edges)] = np.array(edges, kind)
    flat[~np.isfinite(flat)] = 1
    return flat.reshape(shape)


def inputs_of(name):
    bundle = read_bundle(GOOD / name)
    signature = bundle.manifest.signature
    if any(spec.domain for spec in signature.inputs):
        # Its values have limits: those of its author keep them.
        return signature, bundle.golden[0].inputs
    rng = np.random.default_rng(SEED)
    computed = name != "dtypes"
    return signature, {s.name: values(s, rng, computed=computed) for s in signature.inputs}


def raw(array, dtype):
    if dtype != "BYTES":
        return np.ascontiguousarray(array).tobytes()
    texts = [("" if each is None else each).encode() for each in array.reshape(-1)]
    return b"".join(len(each).to_bytes(4, "little") + each for each in texts)


def unraw(data, spec, shape):
    if spec.dtype.value != "BYTES":
        return np.frombuffer(data, spec.dtype.numpy).reshape(shape)
    texts = []
    while data:
        size = int.from_bytes(data[:4], "little")
        texts.append(data[4 : 4 + size].decode())
        data = data[4 + size :]
    return np.array(texts, object).reshape(shape)


def same(found, expected, wire):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].shape == array.shape, (wire, name)
        if array.dtype == object:
            assert found[name].tolist() == array.tolist(), (wire, name)
        else:
            assert found[name].dtype == array.dtype, (wire, name)
            assert found[name].tobytes() == array.tobytes(), (wire, name)


@pytest.fixture(scope="module")
def in_process():
    """Inputs, and what ONNX Runtime gives for them in this process, by model."""
    answers = {}
    for name in MODELS:
        signature, inputs = inputs_of(name)
        with sealane.open(GOOD / name, engine="onnx") as session:
            outputs = session.run(inputs)
            answers[name] = (signature, inputs, {k: np.array(v) for k, v in outputs.items()})
    return answers


class Wire:
    """A gRPC client made of what the server's reflection tells of its protocols."""

    def __init__(self, channel) -> None:
        self.channel = channel
        self.pool = descriptor_pool.DescriptorPool()
        for symbol in (INFERENCE, PREDICTION):
            self._learn(symbol)

    def _learn(self, symbol) -> None:
        # ServerReflectionRequest.file_containing_symbol is field 4; in the answer field 4 is a
        # message with the files, the ones that they import first or later, in its field 1.
        ask = self.channel.stream_stream(REFLECTION)
        name = symbol.encode()
        [answer] = ask(iter([b"\x22" + bytes([len(name)]) + name]), timeout=20)
        files = {}
        for data in fields(fields(answer)[4][0])[1]:
            file = descriptor_pb2.FileDescriptorProto.FromString(data)
            files[file.name] = file
        known = set()

        def add(file):
            if file.name in known:
                return
            known.add(file.name)
            for needed in file.dependency:
                if needed in files:
                    add(files[needed])
            self.pool.Add(file)

        for each in files.values():
            add(each)

    def message(self, name):
        return message_factory.GetMessageClass(self.pool.FindMessageTypeByName(name))

    def call(self, service, method, request, answer):
        kind = self.message(answer)
        ask = self.channel.unary_unary(
            f"/{service}/{method}", response_deserializer=kind.FromString
        )
        return ask(request.SerializeToString(), timeout=20)


def fields(data):
    """The length-delimited fields of a message, by number."""
    found: dict[int, list[bytes]] = {}
    at = 0

    def varint():
        nonlocal at
        value = 0
        for shift in itertools.count(0, 7):
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise AssertionError

    while at < len(data):
        tag = varint()
        assert tag & 7 == 2, tag
        size = varint()
        found.setdefault(tag >> 3, []).append(data[at : at + size])
        at += size
    return found


@pytest.fixture(scope="module")
def wire(server):
    with grpc.insecure_channel(server.address) as channel:
        yield Wire(channel)


def infer(server, name, body, headers=None):
    answer = server.post(f"/v2/models/{name}/infer", body, headers=headers or {})
    assert answer.status == 200, answer.body
    return answer


@pytest.mark.parametrize("name", MODELS)
def test_rest_binary(server, in_process, name):
    signature, inputs, expected = in_process[name]
    parts = [raw(inputs[spec.name], spec.dtype.value) for spec in signature.inputs]
    asked = [
        {
            "name": spec.name,
            "datatype": spec.dtype.value,
            "shape": list(inputs[spec.name].shape),
            "parameters": {"binary_data_size": len(part)},
        }
        for spec, part in zip(signature.inputs, parts, strict=True)
    ]
    head = json.dumps({"inputs": asked, "parameters": {"binary_data_output": True}}).encode()
    answer = infer(server, name, head + b"".join(parts), {LENGTH: str(len(head))})
    size = int(answer.headers[LENGTH.lower()])
    at = size
    found = {}
    specs = {spec.name: spec for spec in signature.outputs}
    for each in json.loads(answer.body[:size])["outputs"]:
        length = each["parameters"]["binary_data_size"]
        data = answer.body[at : at + length]
        found[each["name"]] = unraw(data, specs[each["name"]], each["shape"])
        at += length
    assert at == len(answer.body)
    same(found, expected, "REST binary")


def json_values(array, dtype):
    if dtype == "BYTES":
        return [each if each is None else str(each) for each in array.reshape(-1)]
    if dtype in ("FP32", "FP64"):
        numbers = array.astype(np.float64).reshape(-1).tolist()
        return [None if number != number else number for number in numbers]
    return array.reshape(-1).tolist()


def significant(text):
    digits = re.sub(r"[eE].*", "", text).replace("-", "").replace(".", "").strip("0")
    return len(digits)


@pytest.mark.parametrize("name", MODELS)
def test_rest_json_round_trips_in_the_fewest_digits(server, in_process, name):
    signature, inputs, expected = in_process[name]
    asked, tail = [], b""
    for spec in signature.inputs:
        dtype = spec.dtype.value
        array = inputs[spec.name]
        tensor = {"name": spec.name, "datatype": dtype, "shape": list(array.shape)}
        if dtype in BINARY_ONLY:
            tail += raw(array, dtype)
            size = len(raw(array, dtype))
            asked.append({**tensor, "parameters": {"binary_data_size": size}})
        else:
            asked.append({**tensor, "data": json_values(array, dtype)})
    wanted = [
        {"name": spec.name, "parameters": {"binary_data": False}}
        for spec in signature.outputs
        if spec.dtype.value not in BINARY_ONLY
    ]
    head = json.dumps({"inputs": asked, "outputs": wanted}).encode()
    headers = {LENGTH: str(len(head))} if tail else {}
    answer = infer(server, name, head + tail, headers)
    specs = {spec.name: spec for spec in signature.outputs}
    found = {}
    for each in json.loads(answer.body, parse_float=str)["outputs"]:
        spec = specs[each["name"]]
        kind = object if spec.dtype.value == "BYTES" else spec.dtype.numpy
        if spec.dtype.value in ("FP32", "FP64"):
            for text in map(str, each["data"]):
                number = spec.dtype.numpy.type(text)
                shortest = np.format_float_scientific(number, unique=True, trim="-")
                # Java writes a digit after the point: of two digits it takes the nearest.
                fewest = max(2, significant(shortest))
                assert significant(text) <= fewest, (text, shortest)
        text = spec.dtype.value == "BYTES"
        data = each["data"] if text else [spec.dtype.numpy.type(x) for x in each["data"]]
        found[each["name"]] = np.array(data, kind).reshape(each["shape"])
    same(found, {key: expected[key] for key in found}, "REST JSON")
    assert len(found) == len(wanted)


def v2_request(wire, name, signature, inputs):
    request = wire.message("inference.ModelInferRequest")(model_name=name)
    for spec in signature.inputs:
        shape = list(inputs[spec.name].shape)
        request.inputs.add(name=spec.name, datatype=spec.dtype.value, shape=shape)
    return request


@pytest.mark.parametrize("name", MODELS)
def test_v2_grpc_raw(wire, in_process, name):
    signature, inputs, expected = in_process[name]
    request = v2_request(wire, name, signature, inputs)
    for spec in signature.inputs:
        request.raw_input_contents.append(raw(inputs[spec.name], spec.dtype.value))
    answer = wire.call(INFERENCE, "ModelInfer", request, "inference.ModelInferResponse")
    specs = {spec.name: spec for spec in signature.outputs}
    found = {
        each.name: unraw(data, specs[each.name], list(each.shape))
        for each, data in zip(answer.outputs, answer.raw_output_contents, strict=True)
    }
    same(found, expected, "V2 gRPC raw")


TYPED = {
    "BOOL": "bool_contents",
    "UINT8": "uint_contents",
    "INT64": "int64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}


@pytest.mark.parametrize("name", ["mlp", "strings", "domains"])
def test_v2_grpc_typed(wire, in_process, name):
    signature, inputs, expected = in_process[name]
    request = v2_request(wire, name, signature, inputs)
    for spec, tensor in zip(signature.inputs, request.inputs, strict=True):
        flat = inputs[spec.name].reshape(-1).tolist()
        if spec.dtype.value == "BYTES":
            flat = [("" if each is None else each).encode() for each in flat]
        getattr(tensor.contents, TYPED[spec.dtype.value]).extend(flat)
    answer = wire.call(INFERENCE, "ModelInfer", request, "inference.ModelInferResponse")
    assert not answer.raw_output_contents
    specs = {spec.name: spec for spec in signature.outputs}
    found = {}
    for each in answer.outputs:
        spec = specs[each.name]
        flat = list(getattr(each.contents, TYPED[spec.dtype.value]))
        text = spec.dtype.value == "BYTES"
        data = [item.decode() for item in flat] if text else flat
        found[each.name] = np.array(data, object if text else spec.dtype.numpy).reshape(each.shape)
    same(found, expected, "V2 gRPC typed")


LISTS = {
    "FP32": "float_val",
    "FP64": "double_val",
    "INT64": "int64_val",
    "UINT64": "uint64_val",
    "UINT32": "uint32_val",
    "BOOL": "bool_val",
    "BYTES": "string_val",
    "FP16": "half_val",
    "BF16": "half_val",
}


def tensor_proto(proto, array, spec, *, as_bytes):
    names = {"FP16": "HALF", "BF16": "BFLOAT16", "FP32": "FLOAT", "FP64": "DOUBLE"}
    dtype = spec.dtype.value
    name = "DT_STRING" if dtype == "BYTES" else f"DT_{names.get(dtype, dtype)}"
    proto.dtype = proto.DESCRIPTOR.fields_by_name["dtype"].enum_type.values_by_name[name].number
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    if dtype == "BYTES":
        proto.string_val.extend(("" if x is None else x).encode() for x in array.reshape(-1))
    elif as_bytes:
        proto.tensor_content = raw(array, dtype)
    else:
        flat = array.reshape(-1)
        flat = flat.view(np.uint16) if dtype in BINARY_ONLY else flat
        getattr(proto, LISTS.get(dtype, "int_val")).extend(flat.tolist())


def from_proto(proto, spec):
    shape = [dim.size for dim in proto.tensor_shape.dim]
    dtype = spec.dtype.value
    if proto.tensor_content:
        return np.frombuffer(proto.tensor_content, spec.dtype.numpy).reshape(shape)
    flat = list(getattr(proto, LISTS.get(dtype, "int_val")))
    if dtype == "BYTES":
        return np.array([each.decode() for each in flat], object).reshape(shape)
    if dtype in BINARY_ONLY:
        return np.array(flat, np.uint16).view(spec.dtype.numpy).reshape(shape)
    return np.array(flat, spec.dtype.numpy).reshape(shape)


@pytest.mark.parametrize("as_bytes", [True, False])
@pytest.mark.parametrize("name", MODELS)
def test_tensorflow_serving_grpc(wire, in_process, name, as_bytes):
    signature, inputs, expected = in_process[name]
    request = wire.message("tensorflow.serving.PredictRequest")()
    request.model_spec.name = name
    for spec in signature.inputs:
        tensor_proto(request.inputs[spec.name], inputs[spec.name], spec, as_bytes=as_bytes)
    answer = wire.call(PREDICTION, "Predict", request, "tensorflow.serving.PredictResponse")
    specs = {spec.name: spec for spec in signature.outputs}
    found = {key: from_proto(answer.outputs[key], specs[key]) for key in answer.outputs}
    same(found, expected, "TFS gRPC")


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("mlp", "inputs"),
        ("mlp", "instances"),
        ("strings", "inputs"),
        ("strings", "instances"),
        ("domains", "inputs"),
    ],
)
def test_tensorflow_serving_rest(server, in_process, name, form):
    signature, inputs, expected = in_process[name]

    def plain(spec):
        if spec.dtype.is_float:
            wide = inputs[spec.name].astype(np.float64)
            return np.where(np.isnan(wide), None, wide.astype(object)).tolist()
        return inputs[spec.name].tolist()

    columns = {spec.name: plain(spec) for spec in signature.inputs}
    if form == "instances":
        rows = zip(*columns.values(), strict=True)
        body = {"instances": [dict(zip(columns, row, strict=True)) for row in rows]}
    else:
        body = {"inputs": columns}
    answer = server.post(f"/v1/models/{name}:predict", body)
    assert answer.status == 200, answer.body
    got = answer.json["outputs" if form == "inputs" else "predictions"]
    if form == "instances":
        several = len(signature.outputs) > 1
        got = {s.name: [r[s.name] if several else r for r in got] for s in signature.outputs}
    elif len(signature.outputs) == 1:
        got = {signature.outputs[0].name: got}
    found = {}
    for spec in signature.outputs:
        text = spec.dtype.value == "BYTES"
        found[spec.name] = np.array(got[spec.name], object if text else spec.dtype.numpy)
    same(found, expected, "TFS REST")


def test_floats_that_are_no_numbers_keep_their_bits_in_binary(server, wire, in_process):
    signature, inputs, _ = in_process["dtypes"]
    odd = np.array([0x7FC00001, 0xFFC12345, 0x7F800000, 0xFF800000, 0x80000000], np.uint32)
    count = len(odd)
    given = {spec.name: inputs[spec.name][:count] for spec in signature.inputs}
    given["in_FP32"] = odd.view(np.float32)
    with sealane.open(GOOD / "dtypes", engine="onnx") as session:
        expected = {key: np.array(value) for key, value in session.run(given).items()}
    request = v2_request(wire, "dtypes", signature, given)
    for spec in signature.inputs:
        request.raw_input_contents.append(raw(given[spec.name], spec.dtype.value))
    answer = wire.call(INFERENCE, "ModelInfer", request, "inference.ModelInferResponse")
    specs = {spec.name: spec for spec in signature.outputs}
    found = {
        each.name: unraw(data, specs[each.name], list(each.shape))
        for each, data in zip(answer.outputs, answer.raw_output_contents, strict=True)
    }
    same(found, expected, "V2 gRPC raw")
