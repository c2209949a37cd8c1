"""The request over gRPC, in tritonclient's environment: ``grpc_case.py ADDRESS BODY ROW``.

Asks the server once about ROW, JSON of 64 numbers; writes the request as it goes over the wire
into BODY; prints the answer's numbers and its bytes on the wire as JSON.
"""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path

import grpc
import numpy as np
from tritonclient.grpc import service_pb2, service_pb2_grpc

PREFIX = struct.Struct(">?I")


def main() -> None:
    address, body, row = sys.argv[1:]
    x = np.asarray([json.loads(row)], np.float32)
    request = service_pb2.ModelInferRequest(model_name="mlp", raw_input_contents=[x.tobytes()])
    request.inputs.add(name="x", datatype="FP32", shape=x.shape)
    message = request.SerializeToString()
    Path(body).write_bytes(PREFIX.pack(False, len(message)) + message)
    with grpc.insecure_channel(address) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        answer = stub.ModelInfer(request, timeout=10)
    raw = answer.raw_output_contents
    y = np.frombuffer(raw[0], np.float32) if raw else answer.outputs[0].contents.fp32_contents
    print(
        json.dumps({"y": [float(value) for value in y], "bytes": PREFIX.size + answer.ByteSize()})
    )


if __name__ == "__main__":
    main()
