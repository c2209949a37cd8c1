"""KServe's SDK server: ``kserve_server.py MODEL HTTP_PORT GRPC_PORT``."""

from __future__ import annotations

import sys

import onnxruntime
from kserve import InferOutput, InferResponse, Model, ModelServer


class Mlp(Model):
    def load(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(sys.argv[1], options)
        self.ready = True
        return True

    def predict(self, payload, headers=None, response_headers=None):
        y = self.session.run(None, {"x": payload.inputs[0].as_numpy()})[0]
        output = InferOutput("y", list(y.shape), "FP32")
        output.set_data_from_numpy(y, binary_data=False)
        return InferResponse(payload.id or "", "mlp", [output])


if __name__ == "__main__":
    model = Mlp("mlp")
    model.load()
    ModelServer(
        http_port=int(sys.argv[2]),
        grpc_port=int(sys.argv[3]),
        workers=1,
        enable_latency_logging=False,
    ).start([model])
