"""TorchServe's handler of one ONNX file beside it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime


class Mlp:
    def initialize(self, context):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        model = Path(context.system_properties["model_dir"]) / "model.onnx"
        self.session = onnxruntime.InferenceSession(model, options)

    def handle(self, requests, context):
        return [self.answer(each.get("body")) for each in requests]

    def answer(self, body):
        x = (body if isinstance(body, dict) else json.loads(body))["inputs"][0]
        feeds = {"x": np.asarray(x["data"], np.float32).reshape(x["shape"])}
        y = self.session.run(None, feeds)[0]
        y = {"name": "y", "shape": y.shape, "datatype": "FP32", "data": y.ravel().tolist()}
        return {"model_name": "mlp", "outputs": [y]}
