"""Write the bundle that the benchmarks open: a 64-256-256-10 MLP.

``python jvm/benchmarks/mlp_bundle.py DIR [HIDDEN [SEED]]`` writes DIR/mlp, replacing it, with
HIDDEN (256) units in both hidden layers and weights from SEED (0). Its version is 1.0.0 with seed
0, 2.0.0 with seed 1. The outputs of the two golden cases are ONNX Runtime's own.
"""

from __future__ import annotations

import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from sealane.bundle import ArtifactDraft, Bindings, BundleDraft, GoldenCase, Verdict, write_bundle
from sealane.core import DType, Signature, TensorSpec

INPUTS, HIDDEN, OUTPUTS = 64, 256, 10


def main() -> None:
    """Write the bundle into the folder that the command line names."""
    folder = Path(sys.argv[1])
    hidden = int(sys.argv[2]) if len(sys.argv) > 2 else HIDDEN
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    widths = (INPUTS, hidden, hidden, OUTPUTS)
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    weights, nodes, last = [], [], "x"
    for layer, (rows, columns) in enumerate(pairwise(widths)):
        matrix = rng.normal(0, rows**-0.5, (rows, columns)).astype(np.float32)
        bias = rng.normal(0, 0.1, columns).astype(np.float32)
        weights += [
            numpy_helper.from_array(matrix, f"w{layer}"),
            numpy_helper.from_array(bias, f"b{layer}"),
        ]
        final = layer == len(widths) - 2
        out = "y" if final else f"h{layer}"
        nodes.append(helper.make_node("Gemm", [last, f"w{layer}", f"b{layer}"], [out]))
        if not final:
            nodes.append(helper.make_node("Relu", [out], [f"r{layer}"]))
        last = f"r{layer}"
    graph = helper.make_graph(
        nodes,
        "mlp",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", INPUTS])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", OUTPUTS])],
        weights,
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    model = proto.SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    cases = []
    for batch in (1, 5):
        x = rng.normal(size=(batch, INPUTS)).astype(np.float32)
        y = session.run(None, {"x": x})[0]
        cases.append(GoldenCase(f"batch-{batch}", "seeded", batch, {"x": x}, {"y": y}, {}))
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "model.onnx"
        source.write_bytes(model)
        draft = BundleDraft(
            name="mlp",
            version=f"{seed + 1}.0.0",
            signature=Signature(
                (TensorSpec("x", DType.FP32, ("batch", INPUTS)),),
                (TensorSpec("y", DType.FP32, ("batch", OUTPUTS)),),
            ),
            artifacts=(
                ArtifactDraft(
                    "onnx",
                    "onnx",
                    "primary",
                    source,
                    Bindings({"x": "x"}, {"y": "y"}),
                    "fp32",
                    Verdict.BIT_EXACT,
                ),
            ),
            golden=tuple(cases),
        )
        write_bundle(folder / "mlp", draft, overwrite=True)


if __name__ == "__main__":
    main()
