"""What a user of ``tritonclient.http`` does, run as ``golden_case.py`` says."""

import numpy as np
import tritonclient.http as triton
from golden_case import address, expected, model, name, output, rows, version
from tritonclient.utils import InferenceServerException


def fed(binary, array=rows):
    tensor = triton.InferInput(name, list(array.shape), "FP32")
    tensor.set_data_from_numpy(array, binary_data=binary)
    return [tensor]


def refused(call, status):
    try:
        call()
    except InferenceServerException as error:
        assert error.status() == status, (error.status(), str(error))
        assert error.message(), "an error without a text"
        return
    raise AssertionError(f"not refused with {status}")


with triton.InferenceServerClient(address) as client:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(model)
    assert client.is_model_ready(model, version)
    assert not client.is_model_ready("absent")
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    metadata = client.get_model_metadata(model)
    assert metadata["versions"] == [version]
    assert metadata["inputs"] == [{"name": name, "datatype": "FP32", "shape": [-1, rows.shape[1]]}]
    config = client.get_model_config(model)
    assert config["max_batch_size"] > 0
    assert config["input"][0]["dims"] == [rows.shape[1]]

    for binary in (True, False):
        # Without outputs the client asks for all of them as bytes.
        result = client.infer(model, fed(binary))
        np.testing.assert_array_equal(result.as_numpy(output), expected)
        for asked in (True, False):
            wanted = [triton.InferRequestedOutput(output, binary_data=asked)]
            result = client.infer(model, fed(binary), outputs=wanted, request_id="ä 1")
            np.testing.assert_array_equal(result.as_numpy(output), expected)
            assert result.get_response()["id"] == "ä 1"
            assert result.get_response()["model_version"] == version
    for algorithm in ("gzip", "deflate"):
        result = client.infer(
            model,
            fed(True),
            request_compression_algorithm=algorithm,
            response_compression_algorithm=algorithm,
        )
        np.testing.assert_array_equal(result.as_numpy(output), expected)
    running = [client.async_infer(model, fed(True)) for _ in range(4)]
    for each in running:
        np.testing.assert_array_equal(each.get_result().as_numpy(output), expected)

    wanted = [triton.InferRequestedOutput(output, class_count=2)]
    classes = client.infer(model, fed(True), outputs=wanted).as_numpy(output)
    assert classes.shape == (len(rows), 2)
    best = [int(row[0].decode().split(":")[1]) for row in classes]
    assert best == expected.argmax(axis=1).tolist()

    refused(lambda: client.infer(model, fed(True, rows[:, :-1])), "400")
    refused(lambda: client.infer("absent", fed(True)), "404")
    refused(lambda: client.infer(model, fed(True), model_version="9"), "404")
    unknown = [triton.InferRequestedOutput("absent")]
    refused(lambda: client.infer(model, fed(True), outputs=unknown), "400")

    statistics = client.get_inference_statistics(model)["model_stats"][0]
    assert statistics["inference_stats"]["success"]["count"] > 8
    index = client.get_model_repository_index()
    assert {"name": model, "version": version, "state": "READY", "reason": ""} in index
    client.unload_model(model)
    assert not client.is_model_ready(model)
    refused(lambda: client.infer(model, fed(True)), "503")
    client.load_model(model)
    np.testing.assert_array_equal(client.infer(model, fed(True)).as_numpy(output), expected)
    refused(lambda: client.load_model("absent"), "404")
print("done")
