"""A model that takes images as they come, PNG or JPEG, through every protocol."""

from __future__ import annotations

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
import tensorflow as tf
from e2e.server.messages import (
    INFER,
    PREDICT,
    fields,
    infer_bytes,
    predict_bytes,
    predictions,
    prefixed,
)
from e2e.server.running import serving

from sealane.jvm.engines import engine_jars

LENGTH = "Inference-Header-Content-Length"
TORCHSERVE = "/org.pytorch.serve.grpc.inference.InferenceAPIsService/Predictions"
BATCHED = """
max_batch_size: 8
dynamic_batching { max_queue_delay_microseconds: 100000 }
instance_group [ { count: 1 kind: KIND_CPU } ]
"""


class Scores(tf.Module):
    """Decodes, resizes and normalises in the graph, then one layer."""

    def __init__(self):
        super().__init__()
        values = np.random.default_rng(7).normal(size=(8 * 8 * 3, 3)).astype(np.float32)
        self.weights = tf.Variable(values)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="image")])
    def __call__(self, image):
        rows = tf.map_fn(self.row, image, tf.TensorSpec([8 * 8 * 3], tf.float32))
        return {"scores": tf.ensure_shape(tf.matmul(rows, self.weights), [None, 3])}

    def row(self, encoded):
        pixels = tf.io.decode_image(encoded, channels=3, expand_animations=False)
        resized = tf.image.resize(tf.cast(pixels, tf.float32), [8, 8])
        return tf.reshape(resized / 127.5 - 1.0, [8 * 8 * 3])


@pytest.fixture(scope="module")
def images():
    pixels = np.random.default_rng(11).integers(0, 256, (16, 20, 3), np.uint8)
    encoded = [tf.io.encode_png(pixels).numpy(), tf.io.encode_jpeg(pixels).numpy()]
    for each in encoded:
        with pytest.raises(UnicodeDecodeError):
            each.decode()
    return encoded


@pytest.fixture(scope="module")
def model():
    return Scores()


@pytest.fixture(scope="module")
def expected(model, images):
    """What TensorFlow in Python computes of each image alone."""
    return [model(tf.constant([each]))["scores"].numpy()[0] for each in images]


@pytest.fixture(scope="module")
def server(tmp_path_factory, model):
    root = tmp_path_factory.mktemp("images")
    for name in ("scores", "batched"):
        tf.saved_model.save(model, str(root / name / "1/model.savedmodel"))
    (root / "batched/config.pbtxt").write_text(BATCHED)
    engines = str(engine_jars("tensorflow")[0].parents[1])
    with serving(root, "--poll", "200ms", "--engines", engines) as running:
        deadline = time.monotonic() + 60
        while running.get("/v2/health/ready").status != 200:
            assert time.monotonic() < deadline, running.post("/v2/repository/index").json
            time.sleep(0.1)
        yield running


def of_json(values):
    return np.array(values, np.float32).reshape(-1, 3)


def v2_binary(server, model, values):
    size = {"binary_data_size": len(prefixed(values))}
    tensor = {"name": "image", "datatype": "BYTES", "shape": [len(values)], "parameters": size}
    head = json.dumps({"inputs": [tensor]}).encode()
    headers = {LENGTH: str(len(head))}
    answer = server.post(f"/v2/models/{model}/infer", head + prefixed(values), headers=headers)
    assert answer.status == 200, answer.body
    return of_json(answer.json["outputs"][0]["data"])


def v2_grpc(server, model, values, *, raw):
    with grpc.insecure_channel(server.address) as channel:
        asked = infer_bytes(model, values, "image", raw=raw)
        answer = fields(channel.unary_unary(INFER)(asked, timeout=60))
    listed = answer[6] if raw else fields(fields(answer[5])[5])[6]
    return np.frombuffer(listed, np.float32).reshape(-1, 3)


def v2_raw(server, model, values):
    return v2_grpc(server, model, values, raw=True)


def v2_typed(server, model, values):
    return v2_grpc(server, model, values, raw=False)


def serving_grpc(server, model, values):
    with grpc.insecure_channel(server.address) as channel:
        call = channel.unary_unary(PREDICT)
        answer = fields(call(predict_bytes(model, values, "image"), timeout=60))
    tensor = fields(fields(answer[1])[2])
    return np.frombuffer(tensor[5], np.float32).reshape(-1, 3)


def b64(value):
    return {"b64": base64.b64encode(value).decode()}


def v1(server, model, body, key):
    answer = server.post(f"/v1/models/{model}:predict", body)
    assert answer.status == 200, answer.body
    return of_json(answer.json[key])


def v1_rows(server, model, values):
    return v1(server, model, {"instances": [b64(each) for each in values]}, "predictions")


def v1_named_rows(server, model, values):
    rows = [{"image": b64(each)} for each in values]
    return v1(server, model, {"instances": rows}, "predictions")


def v1_columns(server, model, values):
    return v1(server, model, {"inputs": {"image": [b64(each) for each in values]}}, "outputs")


def torchserve(server, model, body, kind):
    headers = {"Content-Type": kind} if kind else None
    answer = server.call("POST", f"/predictions/{model}", body, headers)
    assert answer.status == 200, answer.body
    return of_json(answer.json)


def torchserve_body(server, model, values):
    """As ``curl -T image.png``, with and without a type."""
    typed, untyped = (
        np.concatenate([torchserve(server, model, each, kind) for each in values])
        for kind in ("image/png", None)
    )
    np.testing.assert_array_equal(typed, untyped)
    return typed


def torchserve_form(server, model, values):
    def sent(value):
        head = b'--edge\r\nContent-Disposition: form-data; name="data"; filename="i.png"\r\n'
        form = head + b"Content-Type: image/png\r\n\r\n" + value + b"\r\n--edge--\r\n"
        return torchserve(server, model, form, "multipart/form-data; boundary=edge")

    return np.concatenate([sent(each) for each in values])


def torchserve_grpc(server, model, values):
    with grpc.insecure_channel(server.address) as channel:
        call = channel.unary_unary(TORCHSERVE)
        told = [fields(call(predictions(model, each, "data"), timeout=60)) for each in values]
    return np.concatenate([of_json(json.loads(each[1])) for each in told])


CALLS = [
    v2_binary,
    v2_raw,
    v2_typed,
    serving_grpc,
    v1_rows,
    v1_named_rows,
    v1_columns,
    torchserve_body,
    torchserve_form,
    torchserve_grpc,
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
@pytest.mark.parametrize("model_name", ["scores", "batched"])
def test_an_image_is_answered_as_in_python(server, images, expected, model_name, call):
    for image, scores in zip(images, expected, strict=True):
        np.testing.assert_array_equal(call(server, model_name, [image]), [scores])
    np.testing.assert_array_equal(call(server, model_name, images), expected)


def test_json_of_v2_has_no_form_for_bytes(server, images):
    """A text in JSON is Unicode: neither its bytes nor an escape for half a character is taken."""
    head = b'{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"data":["'
    quotable = images[0].translate(
        bytes(each if each not in b'"\\' else 0x80 for each in range(256))
    )
    for text in (quotable, b"\\udc89PNG"):
        answer = server.post("/v2/models/scores/infer", head + text + b'"]}]}')
        assert answer.status == 400, answer.body
        assert answer.json["error"].startswith("REQUEST_INVALID: ")


def test_what_is_no_image_fails_alone(server, images, expected):
    """At once with good ones, so that they are gathered where batches are on."""
    asked = [images[0], b"\x89PNG and no more \xff", images[1], images[0]]

    def sent(value):
        headers = {"Content-Type": "image/png"}
        return server.call("POST", "/predictions/batched", value, headers)

    with ThreadPoolExecutor(len(asked)) as pool:
        good, bad, other, again = pool.map(sent, asked)
    assert bad.status == 500, bad.body
    assert bad.json["message"].split(":")[0].isupper()
    found = [each.json for each in (good, other, again)]
    np.testing.assert_allclose(
        np.float32(found), [expected[0], expected[1], expected[0]], rtol=1e-5, atol=1e-5
    )
    assert server.get("/v2/health/ready").status == 200
    np.testing.assert_array_equal(v2_raw(server, "batched", [images[0]]), [expected[0]])
