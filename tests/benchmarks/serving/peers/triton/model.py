"""Triton's Python backend with ONNX Runtime: its own backend of it is on no package registry."""

from __future__ import annotations

import os

import onnxruntime
import triton_python_backend_utils as pb


class TritonPythonModel:
    def initialize(self, args):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.environ["MODEL"], options)

    def execute(self, requests):
        return [self.answer(each) for each in requests]

    def answer(self, request):
        x = pb.get_input_tensor_by_name(request, "x").as_numpy()
        y = self.session.run(None, {"x": x})[0]
        return pb.InferenceResponse([pb.Tensor("y", y)])
