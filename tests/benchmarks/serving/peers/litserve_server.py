"""LitServe with one worker: ``litserve_server.py MODEL PORT``."""

from __future__ import annotations

import sys

import litserve
import numpy as np
import onnxruntime


class Mlp(litserve.LitAPI):
    def setup(self, device):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(sys.argv[1], options)

    def decode_request(self, request):
        x = request["inputs"][0]
        return np.asarray(x["data"], np.float32).reshape(x["shape"])

    def predict(self, x):
        return self.session.run(None, {"x": x})[0]

    def encode_response(self, output):
        y = {
            "name": "y",
            "shape": output.shape,
            "datatype": "FP32",
            "data": output.ravel().tolist(),
        }
        return {"model_name": "mlp", "outputs": [y]}


if __name__ == "__main__":
    server = litserve.LitServer(
        Mlp(api_path="/v2/models/mlp/infer"), accelerator="cpu", workers_per_device=1
    )
    server.run(
        host="127.0.0.1", port=int(sys.argv[2]), generate_client_file=False, log_level="warning"
    )
