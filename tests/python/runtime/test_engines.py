"""ONNX Runtime and TensorFlow behind the Session protocol."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from onnx import helper
from python.runtime import models

from sealane.core import DType, ErrorCode, SealaneError, Signature, TensorSpec
from sealane.runtime.onnx import OnnxEngine, OnnxOptions
from sealane.runtime.session import EngineSession, Session
from sealane.runtime.tensorflow import TensorflowEngine


def onnx_session(made, signature, options=None) -> EngineSession:
    engine = OnnxEngine(
        made.SerializeToString(),
        signature,
        inputs={spec.name: spec.name for spec in signature.inputs},
        outputs={spec.name: spec.name for spec in signature.outputs},
        label="a test model",
        options=options,
    )
    return EngineSession(signature, engine, model="test")


def sample(dtype: DType, shape: tuple[int, ...]) -> np.ndarray:
    count = int(np.prod(shape))
    if dtype is DType.BYTES:
        words = np.array(["", "a", "naïve", "日本", "🛫", "a\0b"], object)
        return words[np.arange(count) % 6].reshape(shape)
    if dtype is DType.BOOL:
        return (np.arange(count) % 2 == 0).reshape(shape)
    if dtype.is_float:
        return np.linspace(-3, 3, count).astype(dtype.numpy).reshape(shape)
    limits = np.iinfo(dtype.numpy)
    values = np.array([limits.min, limits.max, 0, 1], dtype.numpy)
    return values[np.arange(count) % 4].reshape(shape)


@pytest.mark.parametrize("dtype", list(DType))
@pytest.mark.parametrize("shape", [(), (3,), (0, 3), (2, 3), (2, 1, 3)])
def test_onnx_carries_every_dtype_and_rank(dtype, shape):
    dims = tuple(f"d{axis}" for axis in range(len(shape)))
    signature = Signature((TensorSpec("x", dtype, dims),), (TensorSpec("y", dtype, dims),))
    made = models.model([helper.make_node("Identity", ["x"], ["y"])], signature)
    with onnx_session(made, signature) as session:
        value = sample(dtype, shape)
        result = session.run({"x": value})["y"]
    assert result.dtype == dtype.numpy
    assert result.shape == shape
    assert result.tolist() == value.tolist()


def test_the_session_describes_itself():
    made, signature = models.mlp(4, 3)
    session = onnx_session(made, signature, OnnxOptions(intra_op_threads=1, optimization="basic"))
    assert isinstance(session, Session)
    assert session.engine == "onnx"
    assert session.engine_version == "1.28.0"
    assert session.options["optimization"] == "basic"
    assert session.options["intraOpThreads"] == 1
    first = session.signature.inputs[0]
    assert (first.name, first.dtype, first.shape) == ("x", DType.FP32, ("batch", 4))
    assert "x: FP32[batch, 4]" in repr(session)


def test_spinning_is_on_unless_refused_and_changes_no_result():
    made, signature = models.mlp(4, 3)
    x = np.linspace(-1, 1, 20, dtype=np.float32).reshape(5, 4)
    results = []
    for options, value in ((OnnxOptions(), "1"), (OnnxOptions(spinning=False), "0")):
        with onnx_session(made, signature, options) as session:
            assert session.options["spinning"] is (value == "1")
            settings = session._engine._session.get_session_options()
            for pool in ("intra_op", "inter_op"):
                key = f"session.{pool}.allow_spinning"
                assert settings.get_session_config_entry(key) == value
            results.append(session.run({"x": x})["y"].tobytes())
    assert results[0] == results[1]


def test_outputs_can_be_chosen():
    made, signature = models.text_and_number()
    with onnx_session(made, signature) as session:
        inputs = {"carrier": ["a", "b"], "d": [1.0, 2.0]}
        assert list(session.run(inputs)) == ["same", "more"]
        only = session.run(inputs, outputs=["more"])
        assert list(only) == ["more"]
        assert only["more"].tolist() == [2.0, 3.0]
        with pytest.raises(SealaneError) as caught:
            session.run(inputs, outputs=["nope"])
        assert caught.value.code is ErrorCode.INPUT_UNKNOWN


def test_results_are_the_callers():
    made, signature = models.mlp(4, 3)
    with onnx_session(made, signature) as session:
        first = session.run({"x": np.ones((2, 4), np.float32)})["y"]
        kept = first.copy()
        session.run({"x": np.zeros((2, 4), np.float32)})
        assert first.tolist() == kept.tolist()
        first[:] = 0


def test_a_closed_session_refuses_and_close_is_idempotent():
    made, signature = models.mlp(4, 3)
    session = onnx_session(made, signature)
    session.close()
    session.close()
    with pytest.raises(SealaneError) as caught:
        session.run({"x": np.ones((2, 4), np.float32)})
    assert caught.value.code is ErrorCode.SESSION_CLOSED


def test_close_waits_for_runs_in_flight():
    made, signature = models.mlp(64, 256, 256, 10)
    session = onnx_session(made, signature)
    rows = np.ones((512, 64), np.float32)
    expected = session.run({"x": rows})["y"].tolist()
    outcomes: list[object] = []

    def work():
        while True:
            try:
                outcomes.append(session.run({"x": rows})["y"].tolist() == expected)
            except SealaneError as error:
                outcomes.append(error.code)
                return

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    session.close()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert outcomes.count(ErrorCode.SESSION_CLOSED) == 4
    assert all(each is True for each in outcomes if each is not ErrorCode.SESSION_CLOSED)
    assert len(outcomes) > 4


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ir": 14}, ErrorCode.ARTIFACT_UNSUPPORTED),
        ({"opset": 27}, ErrorCode.ARTIFACT_UNSUPPORTED),
        ({"op": "NoSuchOperator"}, ErrorCode.ARTIFACT_UNSUPPORTED),
        ({"garbage": b"\x08\xff"}, ErrorCode.ENGINE_LOAD_FAILED),
    ],
)
def test_a_model_that_can_not_be_loaded_says_why(change, code, capfd):
    signature = Signature(
        (models.identity(DType.FP32)[1].inputs), models.identity(DType.FP32)[1].outputs
    )
    node = helper.make_node(change.get("op", "Identity"), ["x"], ["y"])
    made = models.model([node], signature, ir=change.get("ir", 10), opset=change.get("opset", 18))
    data = change.get("garbage", made.SerializeToString())
    with pytest.raises(SealaneError) as caught:
        OnnxEngine(data, signature, inputs={"x": "x"}, outputs={"y": "y"}, label="the model")
    assert caught.value.code is code
    assert "the model" in caught.value.message
    assert capfd.readouterr().err == ""


def test_a_failing_run_names_the_model_and_leaves_the_session_usable(capfd):
    signature = Signature(
        (TensorSpec("x", DType.FP32, ("n",)),), (TensorSpec("y", DType.FP32, ("a", "b")),)
    )
    nodes = [helper.make_node("Reshape", ["x", "shape"], ["y"])]
    made = models.model(nodes, signature, {"shape": np.array([2, -1], np.int64)})
    with onnx_session(made, signature) as session:
        with pytest.raises(SealaneError) as caught:
            session.run({"x": [1.0, 2.0, 3.0]})
        assert caught.value.code is ErrorCode.ENGINE_RUN_FAILED
        assert "a test model" in caught.value.message
        assert session.run({"x": [1.0, 2.0]})["y"].shape == (2, 1)
    assert capfd.readouterr().err == ""


def test_optimization_levels_are_checked():
    made, signature = models.mlp(4, 3)
    with pytest.raises(SealaneError, match="'fast' is unknown"):
        onnx_session(made, signature, OnnxOptions(optimization="fast"))


@pytest.fixture(scope="module")
def tensorflow_session(tmp_path_factory):
    path = tmp_path_factory.mktemp("tf") / "model"
    signature = models.saved_model(path)
    names = {"carrier": "carrier", "d": "d"}
    engine = TensorflowEngine(
        path, signature, inputs=names, outputs={"score": "score", "label": "label"}, label="a model"
    )
    with EngineSession(signature, engine, model="test") as session:
        yield session


def test_tensorflow_runs_text_lookup_tables_and_variables(tensorflow_session):
    result = tensorflow_session.run({"carrier": ["UA", "日本", "?"], "d": [0.5, 0, 0]})
    assert result["score"].tolist() == [10.5, 20.0, -10.0]
    assert result["label"].tolist() == ["UA!", "日本!", "?!"]
    assert tensorflow_session.engine == "tensorflow"
    empty = tensorflow_session.run({"carrier": [], "d": []})
    assert empty["score"].shape == (0,)


def test_a_missing_saved_model_can_not_be_loaded(tmp_path):
    signature = models.identity(DType.FP32)[1]
    with pytest.raises(SealaneError) as caught:
        TensorflowEngine(tmp_path, signature, inputs={"x": "x"}, outputs={"y": "y"}, label="it")
    assert caught.value.code is ErrorCode.ENGINE_LOAD_FAILED
