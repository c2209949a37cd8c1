"""A conversion with a fault must not become a bundle; the same conversion without it does."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from python.export.zoo import entry, rows

from sealane.bundle import Verdict
from sealane.core import ErrorCode, SealaneError
from sealane.export import engines
from sealane.export.artifacts import check_sizes, prove
from sealane.export.conversion import bare_onnx, write_onnx, write_savedmodel
from sealane.export.preparation import Wanted, prepare
from sealane.features import Features, Impute, Lookup, Normalize

THRESHOLD = 1 << 30


@pytest.fixture(scope="module")
def converted():
    """Name → prepared model, its golden cases and its honest ONNX graph, made once."""
    cache = {}

    def get(name):
        if name not in cache:
            chosen = entry(name)
            prepared = prepare(chosen.model, chosen.examples, Wanted(**chosen.options))
            cache[name] = prepared, prepared.golden(prepared.oracle), bare_onnx(prepared)
        return cache[name]

    return get


def judged(converted, name, tamper, tmp_path):
    prepared, golden, bare = converted(name)
    model = onnx.ModelProto()
    model.CopyFrom(bare)
    tamper(model)
    assert (model == bare) == (tamper is honest)
    path = tmp_path / "model.onnx"
    write_onnx(prepared, model, path, "m", THRESHOLD)
    engine = engines.onnx_engine(path, prepared.signature)
    return prove("onnx", engine, prepared.signature, golden, None)


def honest(model):
    """No fault."""


def one_weight(model):
    """The largest weight matrix has one element 0.001 too high."""
    tensor = _matrix(model)
    values = numpy_helper.to_array(tensor).copy()
    values[values.shape[0] // 2, values.shape[1] // 2] += np.float32(0.001)
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


def half_precision_weights(model):
    """Every weight is rounded to float16."""
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            values = numpy_helper.to_array(tensor).astype(np.float16).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


def layer_norm_epsilon(model):
    """One layer normalisation has epsilon 1e-3 for 1e-5."""
    node = next(n for n in model.graph.node if n.op_type == "LayerNormalization")
    attribute = next(a for a in node.attribute if a.name == "epsilon")
    assert attribute.f == pytest.approx(1e-5)
    attribute.f = 1e-3


def gelu_by_tanh(model):
    """One GELU uses the tanh approximation."""
    node = next(n for n in model.graph.node if n.op_type == "Gelu")
    del node.attribute[:]
    node.attribute.append(helper.make_attribute("approximate", "tanh"))


def transposed_axis(model):
    """One square weight matrix is transposed."""
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.ndim == 2 and values.shape[0] == values.shape[1]:
            tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values.T), tensor.name))
            return
    pytest.fail("no square matrix")


def swapped_rows(model):
    """Two rows of an embedding table are swapped."""
    gather = next(n for n in model.graph.node if n.op_type == "Gather")
    tensor = next(t for t in model.graph.initializer if t.name == gather.input[0])
    values = numpy_helper.to_array(tensor).copy()
    values[[3, 6]] = values[[6, 3]]
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


FAULTS = [
    ("torch:mlp", one_weight),
    ("torch:mlp", half_precision_weights),
    ("torch:mlp", gelu_by_tanh),
    ("torch:cnn", half_precision_weights),
    ("torch:lstm", half_precision_weights),
    ("torch:encoder", one_weight),
    ("torch:encoder", half_precision_weights),
    ("torch:encoder", layer_norm_epsilon),
    ("torch:encoder", gelu_by_tanh),
    ("torch:encoder", transposed_axis),
    ("torch:tabular", one_weight),
    ("torch:tabular", swapped_rows),
    ("keras:sequential-gelu", one_weight),
    ("keras:sequential-gelu", half_precision_weights),
    ("keras:cnn-batchnorm", half_precision_weights),
    ("keras:attention", half_precision_weights),
]


@pytest.mark.parametrize("name", sorted({name for name, _ in FAULTS}))
def test_honest_conversion_passes(converted, name, tmp_path):
    assert judged(converted, name, honest, tmp_path).verdict is Verdict.WITHIN_ORACLE


@pytest.mark.parametrize(("name", "tamper"), FAULTS, ids=lambda x: getattr(x, "__name__", x))
def test_fault_is_refused(converted, name, tamper, tmp_path):
    with pytest.raises(SealaneError) as caught:
        judged(converted, name, tamper, tmp_path)
    assert caught.value.code is ErrorCode.EXPORT_FAILED
    assert "does not compute what the source model computes" in caught.value.message


def test_batch_norm_in_training_mode_is_refused(converted, tmp_path):
    chosen = entry("torch:cnn")
    prepared = prepare(chosen.model, chosen.examples, Wanted())
    golden = prepared.golden(prepared.oracle)
    for layer in prepared.source._model.modules():
        if type(layer).__name__.startswith("BatchNorm"):
            layer.train()
            layer.track_running_stats = False
            layer.running_mean = layer.running_var = None
    path = tmp_path / "model.onnx"
    write_onnx(prepared, bare_onnx(prepared), path, "m", THRESHOLD)
    with pytest.raises(SealaneError, match="does not compute") as caught:
        prove(
            "onnx", engines.onnx_engine(path, prepared.signature), prepared.signature, golden, None
        )
    assert caught.value.code is ErrorCode.EXPORT_FAILED


def test_fault_in_a_saved_model_is_refused(tmp_path):
    chosen = entry("keras:sequential-gelu")
    prepared = prepare(chosen.model, chosen.examples, Wanted())
    golden = prepared.golden(prepared.oracle)
    weights = chosen.model.get_weights()
    wrong = [np.array(weight) for weight in weights]
    wrong[0][3, 3] += np.float32(0.001)
    chosen.model.set_weights(wrong)
    try:
        write_savedmodel(prepared, onnx.ModelProto(), tmp_path / "saved")
    finally:
        chosen.model.set_weights(weights)
    engine = engines.tensorflow_engine(tmp_path / "saved", prepared.signature)
    with pytest.raises(SealaneError, match="does not compute") as caught:
        prove("savedmodel", engine, prepared.signature, golden, None)
    assert caught.value.code is ErrorCode.EXPORT_FAILED


def test_batch_baked_into_the_graph_is_refused(converted, tmp_path):
    prepared, _, bare = converted("torch:mlp")
    model = onnx.ModelProto()
    model.CopyFrom(bare)
    weight = next(t for t in model.graph.initializer if list(t.dims) == [3])
    rows_of_two = np.tile(numpy_helper.to_array(weight), (2, 1))
    weight.CopyFrom(numpy_helper.from_array(rows_of_two, weight.name))
    path = tmp_path / "model.onnx"
    onnx.save(model, path)
    with pytest.raises(SealaneError, match=r"'batch': 1") as caught:
        check_sizes("onnx", engines.onnx_engine(path, prepared.signature), prepared)
    assert caught.value.code is ErrorCode.EXPORT_FAILED


@pytest.fixture(scope="module")
def with_lookup():
    import torch
    from torch import nn

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(7, 4)
            self.head = nn.Linear(5, 1)

        def forward(self, numeric, carrier):
            return self.head(torch.cat([numeric, self.embed(carrier)], 1))

    torch.manual_seed(2)
    table = {
        "carrier": np.array(["UA", "AA", "B6", None, "DL", "WN"] * 4, object),
        "delay": np.where(np.arange(24) % 5 == 0, np.nan, rows(24)),
    }
    fitted = Features({"carrier": Lookup(), "delay": Impute("mean") | Normalize()}).fit(table)
    prepared = prepare(Model(), table, Wanted(features=fitted))
    return prepared, prepared.golden(prepared.oracle), bare_onnx(prepared)


def test_lookup_passes(with_lookup, tmp_path):
    prepared, golden, bare = with_lookup
    path = tmp_path / "model.onnx"
    write_onnx(prepared, bare, path, "m", THRESHOLD)
    run = prove(
        "onnx", engines.onnx_engine(path, prepared.signature), prepared.signature, golden, None
    )
    assert run.verdict is Verdict.WITHIN_ORACLE
    shown = {value for case in golden.cases for value in case.inputs["carrier"]}
    assert {"UA", "AA", "B6", "DL", "WN"} <= shown


def test_swapped_categories_are_refused(with_lookup, tmp_path):
    prepared, golden, bare = with_lookup
    path = tmp_path / "model.onnx"
    write_onnx(prepared, bare, path, "m", THRESHOLD)
    model = onnx.load(path)
    node = next(n for n in model.graph.node if n.op_type == "LabelEncoder")
    keys = next(a for a in node.attribute if a.name == "keys_strings")
    first, last = keys.strings[0], keys.strings[-1]
    keys.strings[0], keys.strings[-1] = last, first
    onnx.save(model, path)
    with pytest.raises(SealaneError, match="does not compute") as caught:
        prove(
            "onnx", engines.onnx_engine(path, prepared.signature), prepared.signature, golden, None
        )
    assert caught.value.code is ErrorCode.EXPORT_FAILED


def _matrix(model):
    matrices = [t for t in model.graph.initializer if len(t.dims) == 2 and t.data_type == 1]
    return max(matrices, key=lambda tensor: np.prod(tensor.dims))
