"""What a user of ``tritonclient.grpc`` does; run as ``golden_case.py`` says."""

import queue

import grpc
import numpy as np
import tritonclient.grpc as triton
from golden_case import address, expected, model, name, output, rows, version
from tritonclient.utils import InferenceServerException


def fed(array=rows):
    tensor = triton.InferInput(name, list(array.shape), "FP32")
    tensor.set_data_from_numpy(array)
    return [tensor]


def refused(call, status):
    try:
        call()
    except InferenceServerException as error:
        assert error.status() == f"StatusCode.{status}", (error.status(), str(error))
        assert error.message(), "an error without a text"
        return
    raise AssertionError(f"not refused with {status}")


with triton.InferenceServerClient(address) as client:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(model)
    assert not client.is_model_ready("absent")
    assert "statistics" in client.get_server_metadata().extensions
    metadata = client.get_model_metadata(model, version)
    assert list(metadata.versions) == [version]
    assert list(metadata.inputs[0].shape) == [-1, rows.shape[1]]
    config = client.get_model_config(model).config
    assert list(config.input[0].dims) == [rows.shape[1]]

    wanted = [triton.InferRequestedOutput(output)]
    for outputs in (None, wanted):
        result = client.infer(model, fed(), outputs=outputs, request_id="7", client_timeout=20)
        np.testing.assert_array_equal(result.as_numpy(output), expected)
        assert result.get_response().id == "7"
        assert result.get_response().model_version == version
    result = client.infer(model, fed(), priority=1, timeout=20_000_000)
    np.testing.assert_array_equal(result.as_numpy(output), expected)
    result = client.infer(model, fed(), compression_algorithm="gzip")
    np.testing.assert_array_equal(result.as_numpy(output), expected)
    classes = [triton.InferRequestedOutput(output, class_count=1)]
    best = client.infer(model, fed(), outputs=classes).as_numpy(output)
    found = [int(each.decode().split(":")[1]) for each in best.reshape(-1)]
    assert found == expected.argmax(axis=1).tolist()

    refused(lambda: client.infer(model, fed(rows[:, :-1])), "INVALID_ARGUMENT")
    refused(lambda: client.infer("absent", fed()), "NOT_FOUND")
    refused(lambda: client.infer(model, fed(), model_version="9"), "NOT_FOUND")
    refused(lambda: client.get_model_metadata("absent"), "NOT_FOUND")

    told: queue.Queue = queue.Queue()
    client.start_stream(lambda result, error: told.put((result, error)))
    for number in range(3):
        client.async_stream_infer(model, fed(), request_id=str(number))
    client.async_stream_infer(model, fed(rows[:, :-1]), request_id="bad")
    answers = [told.get(timeout=20) for _ in range(4)]
    good = [result for result, error in answers if error is None]
    assert {each.get_response().id for each in good} == {"0", "1", "2"}
    for each in good:
        np.testing.assert_array_equal(each.as_numpy(output), expected)
    [error] = [error for _, error in answers if error is not None]
    assert "INPUT_SHAPE" in error.message()
    client.stop_stream()

    statistics = client.get_inference_statistics(model).model_stats[0]
    assert statistics.inference_stats.success.count >= 8
    index = client.get_model_repository_index().models
    assert [each.state for each in index if each.name == model] == ["READY"]
    client.unload_model(model)
    assert not client.is_model_ready(model)
    refused(lambda: client.infer(model, fed()), "UNAVAILABLE")
    client.load_model(model)
    np.testing.assert_array_equal(client.infer(model, fed()).as_numpy(output), expected)
    refused(lambda: client.load_model("absent"), "NOT_FOUND")

with grpc.insecure_channel(address) as channel:
    # grpc.health.v1.Health/Check: an empty request, and field 1 of the answer is 1 for SERVING.
    check = channel.unary_unary("/grpc.health.v1.Health/Check")
    assert check(b"", timeout=20) == b"\x08\x01"
print("done")
