"""What a user of KServe's SDK does over V1 and V2; run as ``golden_case.py`` says."""

import asyncio

import httpx
import numpy as np
from golden_case import address, expected, model, name, rows
from grpc import RpcError, StatusCode
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig


def request(array=rows, binary=False, of=model):
    tensor = InferInput(name, list(array.shape), "FP32")
    tensor.set_data_from_numpy(array, binary_data=binary)
    return InferRequest(of, [tensor], request_id="5")


def matches(response):
    np.testing.assert_array_equal(response.outputs[0].as_numpy().reshape(expected.shape), expected)
    assert response.id == "5"


async def rest():
    url = f"http://{address}"
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    assert await client.is_server_live(url)
    assert await client.is_server_ready(url)
    assert await client.is_model_ready(url, model)
    assert not await client.is_model_ready(url, "absent")
    for binary in (False, True):
        matches(await client.infer(url, request(binary=binary), model_name=model))
    for bad, of, status in ((rows[:, :-1], model, 400), (rows, "absent", 404)):
        try:
            await client.infer(url, request(bad), model_name=of)
        except httpx.HTTPStatusError as error:
            assert error.response.status_code == status
            assert "INPUT_SHAPE" in str(error) or "MODEL_NOT_FOUND" in str(error)
        else:
            raise AssertionError("not refused")
    await client.close()


async def rest_v1():
    url = f"http://{address}"
    client = InferenceRESTClient(RESTConfig(protocol="v1"))
    assert await client.is_server_live(url)
    assert await client.is_model_ready(url, model)
    answer = await client.infer(url, {"instances": rows.tolist()}, model_name=model)
    np.testing.assert_array_equal(np.array(answer["predictions"], np.float32), expected)
    for bad, of, status in ((rows[:, :-1], model, 400), (rows, "absent", 404)):
        try:
            await client.infer(url, {"instances": bad.tolist()}, model_name=of)
        except httpx.HTTPStatusError as error:
            assert error.response.status_code == status
        else:
            raise AssertionError("not refused")
    await client.close()


async def grpc():
    async with InferenceGRPCClient(address) as client:
        assert await client.is_server_live()
        assert await client.is_server_ready()
        assert await client.is_model_ready(model)
        assert not await client.is_model_ready("absent")
        for binary in (False, True):
            matches(await client.infer(request(binary=binary)))
        try:
            await client.infer(request(rows[:, :-1]))
        except RpcError as error:
            assert error.code() == StatusCode.INVALID_ARGUMENT
        else:
            raise AssertionError("not refused")


asyncio.run(rest())
asyncio.run(rest_v1())
asyncio.run(grpc())
print("done")
