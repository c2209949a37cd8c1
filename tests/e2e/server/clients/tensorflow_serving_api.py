"""What a user of ``tensorflow-serving-api`` does; run so: ``PROGRAM.py HOST:PORT REPOSITORY``.

REPOSITORY has ``half_plus_two`` in the versions 123 and 124, ``mlp`` and ``strings``; models may be
changed by the main port.
"""

import sys

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

address, repository = sys.argv[1:]
channel = grpc.insecure_channel(address)
predictions = prediction_service_pb2_grpc.PredictionServiceStub(channel)
models = model_service_pb2_grpc.ModelServiceStub(channel)
INVALID = grpc.StatusCode.INVALID_ARGUMENT


def refused(code, call, request, text=""):
    try:
        call(request, timeout=60)
    except grpc.RpcError as error:
        assert error.code() == code, error
        assert text in error.details(), error
        return
    raise AssertionError(f"not refused: {request}")


def to(request, model="half_plus_two", **spec):
    request.model_spec.name = model
    for name, value in spec.items():
        if name == "version":
            request.model_spec.version.value = value
        else:
            setattr(request.model_spec, name, value)
    return request


def feature(values):
    if isinstance(values[0], str):
        coded = [value.encode() for value in values]
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=coded))
    if isinstance(values[0], int):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
    return tf.train.Feature(float_list=tf.train.FloatList(value=values))


def example(**features):
    named = {name: feature(values) for name, values in features.items()}
    return tf.train.Example(features=tf.train.Features(feature=named))


def asked(request, *examples, context=None):
    if context is None:
        request.input.example_list.examples.extend(examples)
    else:
        request.input.example_list_with_context.examples.extend(examples)
        request.input.example_list_with_context.context.CopyFrom(context)
    return request


def classify(*examples, context=None, model="half_plus_two", **spec):
    request = to(classification_pb2.ClassificationRequest(), model, **spec)
    return asked(request, *examples, context=context)


def regress(*examples, context=None, model="half_plus_two", **spec):
    request = to(regression_pb2.RegressionRequest(), model, **spec)
    return asked(request, *examples, context=context)


def values(response):
    return [each.value for each in response.result.regressions]


# Predict.
request = to(predict_pb2.PredictRequest(), signature_name="serving_default")
request.inputs["x"].CopyFrom(tf.make_tensor_proto([[1.0], [2.0]], tf.float32))
request.output_filter.append("y")
response = predictions.Predict(request, timeout=60)
assert tf.make_ndarray(response.outputs["y"]).tolist() == [[2.5], [3.0]]
assert response.model_spec.version.value == 124
assert response.model_spec.signature_name == "serving_default"
request.model_spec.version.value = 123
assert predictions.Predict(request, timeout=60).model_spec.version.value == 123
request.output_filter[0] = "z"
refused(INVALID, predictions.Predict, request, "z")
del request.output_filter[:]
request.model_spec.signature_name = "other"
refused(INVALID, predictions.Predict, request, "other")

# Classify: scores by rows, and a model whose classes have no names.
response = predictions.Classify(classify(example(x=[20.0]), example(x=[10.0])), timeout=60)
told = [[(c.label, c.score) for c in r.classes] for r in response.result.classifications]
assert told == [[("0", 12.0)], [("0", 7.0)]], told
assert response.model_spec.version.value == 124
rows = [[0.5, -1.0, 0.25, 2.0], [1.0, 1.5, -0.5, 0.0]]
response = predictions.Classify(
    classify(*(example(features=row, more=["x"]) for row in rows), model="mlp"), timeout=60
)
request = to(predict_pb2.PredictRequest(), "mlp")
request.inputs["features"].CopyFrom(tf.make_tensor_proto(rows, tf.float32))
scores = tf.make_ndarray(predictions.Predict(request, timeout=60).outputs["scores"])
told = [[c.score for c in r.classes] for r in response.result.classifications]
np.testing.assert_array_equal(np.array(told, np.float32), scores)
assert [c.label for c in response.result.classifications[0].classes] == ["0", "1", "2"]

# Regress: one value per example, features of two kinds, and those that all examples share.
assert values(predictions.Regress(regress(example(x=[80.0])), timeout=60)) == [42.0]
one = predictions.Regress(
    regress(
        example(carrier=["AA"], distance=[256.0]),
        example(carrier=["ÉÜ"], distance=[1000.0]),
        model="strings",
    ),
    timeout=60,
)
shared = predictions.Regress(
    regress(
        example(distance=[256.0]),
        example(distance=[1000.0]),
        context=example(carrier=["AA"]),
        model="strings",
    ),
    timeout=60,
)
assert values(one) == [2.0, 6.90625], values(one)
assert values(shared) == [2.0, 4.90625], values(shared)

# What does not fit is refused.
for wrong in (
    classify(),
    classify(example(y=[1.0])),
    classify(example(x=["1"])),
    classify(example(x=[1])),
    classify(example(x=[1.0, 2.0])),
    classify(example(x=[1.0]), example(x=[1.0, 2.0])),
    classify(example(x=[1.0]), context=example(x=[1.0])),
    classify(example(x=[1.0]), signature_name="classify_x_to_y"),
    classify(example(carrier=["AA"], distance=[1.0]), model="strings"),
):
    refused(INVALID, predictions.Classify, wrong)
refused(INVALID, predictions.Regress, regress(example(features=rows[0]), model="mlp"), "regressed")
absent = grpc.StatusCode.NOT_FOUND
refused(absent, predictions.Classify, classify(example(x=[1.0]), model="absent"))
refused(absent, predictions.Classify, classify(example(x=[1.0]), version=7))
refused(absent, predictions.Classify, classify(example(x=[1.0]), version_label="stable"))

# Both out of one run.
many = inference_pb2.MultiInferenceRequest()
for method in ("classify", "regress"):
    task = many.tasks.add(method_name=f"tensorflow/serving/{method}")
    task.model_spec.name = "half_plus_two"
many.input.example_list.examples.append(example(x=[20.0]))
both = predictions.MultiInference(many, timeout=60).results
assert both[0].classification_result.classifications[0].classes[0].score == 12.0
assert both[1].regression_result.regressions[0].value == 12.0
assert both[1].model_spec.version.value == 124
many.tasks[1].method_name = many.tasks[0].method_name
refused(INVALID, predictions.MultiInference, many)
many.tasks[1].method_name = "tensorflow/serving/predict"
refused(grpc.StatusCode.UNIMPLEMENTED, predictions.MultiInference, many)
many.tasks[1].method_name = "tensorflow/serving/regress"
many.tasks[1].model_spec.name = "mlp"
refused(INVALID, predictions.MultiInference, many)

# Metadata.
request = to(get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"]))
packed = predictions.GetModelMetadata(request, timeout=60).metadata["signature_def"]
signatures = get_model_metadata_pb2.SignatureDefMap()
assert packed.Unpack(signatures)
told = signatures.signature_def["serving_default"].inputs["x"]
assert told.dtype == tf.float32.as_datatype_enum
assert [dim.size for dim in told.tensor_shape.dim] == [-1, 1]


# Status, and which models are served.
def states(model):
    response = models.GetModelStatus(to(get_model_status_pb2.GetModelStatusRequest(), model))
    state = get_model_status_pb2.ModelVersionStatus.State.Name
    return {each.version: state(each.state) for each in response.model_version_status}


def reload(*wanted):
    request = model_management_pb2.ReloadConfigRequest()
    for each in wanted:
        config = request.config.model_config_list.config.add()
        config.name = each["name"]
        config.base_path = each.get("base_path", f"{repository}/{config.name}")
        config.model_platform = each.get("model_platform", "tensorflow")
        config.version_labels.update(each.get("labels", {}))
        policy = each.get("policy")
        if policy == "all":
            config.model_version_policy.all.SetInParent()
        elif isinstance(policy, list):
            config.model_version_policy.specific.versions.extend(policy)
        elif policy:
            config.model_version_policy.latest.num_versions = policy
    return request


def labelled(label):
    response = predictions.Regress(regress(example(x=[2.0]), version_label=label), timeout=60)
    return response.model_spec.version.value


AVAILABLE = {123: "AVAILABLE", 124: "AVAILABLE"}
assert states("half_plus_two") == AVAILABLE
both = {"name": "half_plus_two", "policy": "all", "labels": {"stable": 123, "canary": 124}}
response = models.HandleReloadConfigRequest(reload(both), timeout=60)
assert response.status.error_code == 0
assert states("half_plus_two") == AVAILABLE
assert (labelled("stable"), labelled("canary")) == (123, 124)
refused(grpc.StatusCode.UNAVAILABLE, predictions.Classify, classify(example(x=[1.0]), model="mlp"))
assert states("mlp") == {1: "END"}

# A list that is refused changes nothing.
before = grpc.StatusCode.FAILED_PRECONDITION
moved = {**both, "labels": {"stable": 125}}
refused(before, models.HandleReloadConfigRequest, reload(moved, {"name": "mlp"}), "stable")
elsewhere = {**both, "base_path": "/etc"}
for wrong in (
    reload(elsewhere),
    reload({**both, "base_path": f"{repository}/mlp"}),
    reload({**both, "base_path": f"{repository}/mlp/../half_plus_two"}),
    reload({**both, "base_path": "half_plus_two"}),
    reload({**both, "model_platform": "other"}),
    reload(both, both),
    model_management_pb2.ReloadConfigRequest(),
):
    refused(INVALID, models.HandleReloadConfigRequest, wrong)
for name in ("absent", "..", "../mlp", ""):
    refused(absent, models.HandleReloadConfigRequest, reload(both, {"name": name}))
assert (labelled("stable"), labelled("canary")) == (123, 124)
assert states("mlp") == {1: "END"}

# One version of one model, and of the other the newest.
one = {"name": "half_plus_two", "policy": [123], "labels": {"canary": 123}}
models.HandleReloadConfigRequest(reload(one, {"name": "mlp", "policy": 1}), timeout=60)
assert labelled("canary") == 123
refused(absent, predictions.Regress, regress(example(x=[1.0]), version_label="stable"))
refused(absent, predictions.Regress, regress(example(x=[1.0]), version=124))
assert states("mlp") == {1: "AVAILABLE"}
assert states("half_plus_two")[123] == "AVAILABLE"
print("done")
