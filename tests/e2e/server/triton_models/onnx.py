"""Triton's model of a bundle: its graph in ONNX Runtime, between the names of its signature."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import triton_python_backend_utils as triton


class TritonPythonModel:
    def initialize(self, args):
        config = json.loads(args["model_config"])
        names = json.loads(config["parameters"]["bindings"]["string_value"])
        self.inputs, self.outputs = names["inputs"], names["outputs"]
        folder = Path(args["model_repository"]) / args["model_version"]
        self.session = onnxruntime.InferenceSession(folder / "model.onnx")

    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        wanted = [self.outputs[name] for name in request.requested_output_names()]
        fed = {self.inputs[each.name()]: of_triton(each.as_numpy()) for each in request.inputs()}
        found = dict(zip(wanted, self.session.run(wanted, fed), strict=True))
        return triton.InferenceResponse(
            [
                triton.Tensor(name, to_triton(found[self.outputs[name]]))
                for name in request.requested_output_names()
            ]
        )


def of_triton(array):
    """Triton has texts as bytes."""
    if array.dtype != object:
        return array
    return np.array([each.decode() for each in array.reshape(-1)], object).reshape(array.shape)


def to_triton(array):
    if array.dtype != object:
        return array
    return np.array([each.encode() for each in array.reshape(-1)], object).reshape(array.shape)
