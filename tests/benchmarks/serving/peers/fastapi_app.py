"""One worker of uvicorn that answers by ONNX Runtime: what many write by hand."""

from __future__ import annotations

import os

import numpy as np
import onnxruntime
from fastapi import FastAPI
from pydantic import BaseModel


class Input(BaseModel):
    name: str
    shape: list[int]
    datatype: str
    data: list[float]


class Request(BaseModel):
    inputs: list[Input]


options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["MODEL"], options)
app = FastAPI()


@app.post("/v2/models/mlp/infer")
async def infer(request: Request) -> dict:
    feeds = {
        each.name: np.asarray(each.data, np.float32).reshape(each.shape) for each in request.inputs
    }
    y = session.run(None, feeds)[0]
    return {
        "model_name": "mlp",
        "outputs": [
            {"name": "y", "shape": y.shape, "datatype": "FP32", "data": y.ravel().tolist()}
        ],
    }
