"""The ``dl4j`` variant of a bundle: a model as a network, with its proof."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import onnx
from onnx import helper

from sealane.bundle import ArtifactDraft, Bindings, Requires, Tolerance, Verdict
from sealane.bundle.network import (
    BATCHES_NAME,
    FEATURES_NAME,
    NETWORK_NAME,
    TRACE_NAME,
    WEIGHTS_NAME,
)
from sealane.bundle.network_onnx import IR_VERSION, OPSET, network_to_onnx
from sealane.bundle.network_weights import write_weights
from sealane.bundle.safetensors import write_safetensors
from sealane.export import engines, gate
from sealane.export.artifacts import check_sizes, prove
from sealane.export.errors import unsupported
from sealane.export.network.trace import TrainingTrace, record_trace
from sealane.features.onnx_graph import ML_DOMAIN, ML_OPSET, PREFIX, OnnxOps, value_info

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sealane.export.golden import Golden
    from sealane.export.network.builder import Built
    from sealane.export.preparation import Prepared
    from sealane.export.runs import Run
    from sealane.features import FittedFeatures

DL4J = "dl4j"


@dataclass(frozen=True, slots=True)
class NetworkMade:
    """A network that computes what the source model computes.

    Attributes:
        artifact: The variant to be written.
        run: Its evidence: the network's ONNX model on ONNX Runtime.
        built: The network itself.
    """

    artifact: ArtifactDraft
    run: Run
    built: Built


def make_network(
    prepared: Prepared,
    scratch: Path,
    name: str,
    golden: Golden,
    tolerance: Tolerance | None,
    trace: TrainingTrace | None = None,
) -> NetworkMade:
    """Turn a prepared model into a network, write it, and prove it.

    The proof runs the network's ONNX model, which is what every fine-tuned child of the bundle
    will be served as; an engine of the JVM is proved when it opens the bundle.

    Args:
        prepared: The model.
        scratch: A private directory.
        name: The model's name.
        golden: The cases.
        tolerance: The author's, or None.
        trace: Which training steps to record, or None.

    Raises:
        SealaneError: EXPORT_UNSUPPORTED naming the layer that a network can not hold, or for a
            trace that no engine can repeat;
            EXPORT_FAILED when the network computes something else.
    """
    features = prepared.features
    built = prepared.source.to_network(prepared.bare, PREFIX if features is not None else "")
    program = None if features is None else feature_program(features, built.inputs)
    directory = scratch / "network"
    directory.mkdir()
    (directory / NETWORK_NAME).write_bytes(built.network.to_json())
    (directory / WEIGHTS_NAME).write_bytes(write_weights(built.network, built.weights))
    if program is not None:
        data = program.SerializeToString(deterministic=True)
        (directory / FEATURES_NAME).write_bytes(data)
    model = network_to_onnx(built.network, built.weights, name, program)
    path = scratch / "network.onnx"
    path.write_bytes(model.SerializeToString(deterministic=True))
    gate.check_operators(model)
    bindings = _bindings(prepared, built)
    engine = engines.onnx_engine(path, prepared.signature, bindings, label="the network")
    check_sizes(DL4J, engine, prepared)
    run = prove(DL4J, engine, prepared.signature, golden, tolerance)
    if trace is not None:
        recorded = record_trace(prepared, built, trace)
        (directory / TRACE_NAME).write_bytes(recorded.to_json())
        (directory / BATCHES_NAME).write_bytes(write_safetensors(recorded.batches))
    artifact = ArtifactDraft(
        id=DL4J,
        kind=DL4J,
        role="optional",
        source=directory,
        bindings=bindings,
        precision="fp32",
        verdict=run.verdict,
        requires=Requires(ops=tuple(sorted({layer.op for layer in built.network.layers}))),
        tolerance=tolerance if run.verdict is Verdict.WITHIN_DECLARED else None,
    )
    return NetworkMade(artifact, run, built)


def _bindings(prepared: Prepared, built: Built) -> Bindings:
    if prepared.features is None:
        return Bindings(built.inputs, built.outputs)
    raw = {spec.name: spec.name for spec in prepared.signature.inputs}
    return Bindings(raw, built.outputs)


def feature_program(features: FittedFeatures, names: Mapping[str, str]) -> onnx.ModelProto:
    """``features.onnx``: raw columns → the network's inputs.

    Args:
        features: The fitted transforms.
        names: Output of the transforms → input of the network.

    Raises:
        SealaneError: EXPORT_UNSUPPORTED when a raw column is named like an input of the network.
    """
    ops = OnnxOps()
    made = features.run(ops, {spec.name: spec.name for spec in features.input_signature})
    graph = onnx.GraphProto(name="features")
    taken = {spec.name for spec in features.input_signature}
    for spec in features.output_signature:
        if names[spec.name] in taken:
            raise unsupported(f"the raw column {names[spec.name]!r} is named like a feature")
        name = names[spec.name]
        ops.nodes.append(helper.make_node("Identity", [made[spec.name]], [name], name=name))
        graph.output.append(value_info(spec, name))
    graph.node.extend(ops.nodes)
    graph.initializer.extend(ops.initializers)
    graph.input.extend(value_info(spec, spec.name) for spec in features.input_signature)
    model = onnx.ModelProto(ir_version=IR_VERSION, producer_name="sealane", graph=graph)
    model.opset_import.add(domain="", version=OPSET)
    if any(node.domain == ML_DOMAIN for node in ops.nodes):
        model.opset_import.add(domain=ML_DOMAIN, version=ML_OPSET)
    return model
