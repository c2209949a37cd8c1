"""Triton's model of a bundle that gives each input back, whatever its datatype."""

import json

import triton_python_backend_utils as triton


class TritonPythonModel:
    def initialize(self, args):
        config = json.loads(args["model_config"])
        inputs, outputs = config["input"], config["output"]
        self.source = {b["name"]: a["name"] for a, b in zip(inputs, outputs, strict=True)}
        self.types = {each["name"]: each["data_type"] for each in outputs}

    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        given = {each.name(): each for each in request.inputs()}
        names = request.requested_output_names()
        return triton.InferenceResponse(
            [self.back(name, given[self.source[name]]) for name in names]
        )

    def back(self, name, tensor):
        if self.types[name] == "TYPE_BF16":  # NumPy has none.
            return triton.Tensor.from_dlpack(name, tensor.to_dlpack())
        return triton.Tensor(name, tensor.as_numpy())
