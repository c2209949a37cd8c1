"""Engines beside the one in the jar: their jars, and the process that TensorFlow for Java needs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from corpus.run import make_bundle

import sealane
from sealane import DType, ErrorCode, SealaneError
from sealane.api.opening import RUNTIMES
from sealane.bundle import read_bundle
from sealane.jvm import JVM_ENGINES, remote
from sealane.jvm.engines import ENGINES_VARIABLE, engine_jars, shared_jars

GOOD = Path(__file__).parents[2] / "conformance" / "bundles" / "good"
BOTH = GOOD / "both"
HOSTILE = GOOD.parent / "hostile"
SETTINGS = {
    "variant": None,
    "replay": "strict",
    "policy": None,
    "intra_op_threads": 1,
    "optimization": "all",
}
FEATURES = np.ones((3, 4), np.float32)


@pytest.fixture
def session():
    with sealane.open(BOTH, "jvm:tensorflow") as opened:
        yield opened


def test_every_engine_is_a_runtime():
    assert {f"jvm:{name}" for name in JVM_ENGINES} < set(RUNTIMES)
    assert RUNTIMES["jvm:tensorflow"] == "savedmodel"


@pytest.mark.parametrize("engine", [name for name in JVM_ENGINES if name != "onnx"])
def test_an_absent_engine_is_named_with_its_coordinates(monkeypatch, tmp_path, engine):
    monkeypatch.setenv(ENGINES_VARIABLE, str(tmp_path))
    with pytest.raises(SealaneError) as refused:
        engine_jars(engine)
    assert refused.value.code is ErrorCode.ENGINE_UNAVAILABLE
    assert str(tmp_path / engine) in refused.value.message
    assert refused.value.details["engine"] == f"jvm:{engine}"
    for coordinate in JVM_ENGINES[engine].dependencies:
        assert coordinate in refused.value.message


def test_an_absent_engine_is_listed_by_verify_and_refused_when_asked_for(monkeypatch, tmp_path):
    monkeypatch.setenv(ENGINES_VARIABLE, str(tmp_path))
    bundle = sealane.Bundle(BOTH)
    rows = {row.runtime: row for row in bundle.verify().rows}
    assert rows["jvm:tensorflow"].ok is None
    assert "sealane-runtime-tensorflow" in rows["jvm:tensorflow"].problem
    assert bundle.verify(["jvm:tensorflow"]).rows[0].ok is False
    with pytest.raises(SealaneError) as refused:
        bundle.open("jvm:tensorflow")
    assert refused.value.code is ErrorCode.ENGINE_UNAVAILABLE


def test_jars_of_engines_with_a_process_of_their_own_stay_out_of_this_one():
    assert not [jar for jar in shared_jars() if jar.name.startswith("tensorflow")]
    assert [jar for jar in engine_jars("tensorflow") if jar.name.startswith("tensorflow-core")]


@pytest.mark.parametrize("name", ["both", "savedmodel-strings", "savedmodel-dtypes"])
def test_verify_covers_the_engines_of_both_languages(name):
    verified = sealane.Bundle(GOOD / name).verify()
    assert verified.ok
    rows = {row.runtime: row for row in verified.rows}
    assert rows["jvm:tensorflow"].ok
    assert rows["jvm:tensorflow"].version == "2.18.0"
    assert rows["tensorflow"].version != rows["jvm:tensorflow"].version


def test_tensorflow_of_both_languages_answers_in_one_program(session):
    for _ in range(2):
        with sealane.open(BOTH, "tensorflow") as python:
            expected = python.run({"features": FEATURES})["scores"]
        assert session.run({"features": FEATURES})["scores"].tobytes() == expected.tobytes()


def test_text_and_every_dtype_cross_the_process(session):
    del session
    for name in ("savedmodel-strings", "savedmodel-dtypes"):
        with (
            read_bundle(GOOD / name) as bundle,
            sealane.open(GOOD / name, "jvm:tensorflow") as opened,
        ):
            for case in bundle.golden:
                found = opened.run(case.inputs)
                for spec in bundle.signature.outputs:
                    value, expected = found[spec.name], case.outputs[spec.name]
                    assert value.dtype == expected.dtype
                    if spec.dtype is DType.BYTES:
                        assert value.tolist() == expected.tolist()
                    else:
                        assert value.tobytes() == expected.tobytes()


def test_errors_keep_their_codes(session):
    with pytest.raises(SealaneError) as refused:
        session.run({"features": np.ones((3, 5), np.float32)})
    assert refused.value.code is ErrorCode.INPUT_SHAPE
    with pytest.raises(SealaneError) as refused:
        sealane.open(GOOD / "mlp", "jvm:tensorflow")
    assert refused.value.code is ErrorCode.VARIANT_NOT_FOUND
    with pytest.raises(SealaneError) as refused:
        sealane.open(BOTH, "jvm:tensorflow", variant="onnx")
    assert refused.value.code is ErrorCode.VARIANT_NOT_FOUND
    assert session.run({"features": FEATURES})["scores"].shape == (3, 3)


def test_threads_share_a_session(session):
    expected = session.run({"features": FEATURES})["scores"].tobytes()
    found: list[bytes] = []

    def score() -> None:
        found.extend(session.run({"features": FEATURES})["scores"].tobytes() for _ in range(20))

    threads = [threading.Thread(target=score) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found == [expected] * 80


def test_each_session_has_the_threads_that_it_asks_for():
    for threads in (1, 2):
        with sealane.open(BOTH, "jvm:tensorflow", intra_op_threads=threads) as opened:
            assert opened.options["intra-op-threads"] == str(threads)


def test_a_dropped_session_is_reported_and_closed():
    opened = [sealane.open(BOTH, "jvm:tensorflow")]
    with pytest.warns(ResourceWarning, match="'both' on jvm:tensorflow was dropped"):
        opened.clear()


def test_a_crash_of_native_code_is_an_error_and_the_next_session_works():
    process = remote.engine_process("tensorflow")
    opened = sealane.open(BOTH, "jvm:tensorflow")
    os.kill(process._process.pid, signal.SIGABRT)
    process._process.wait()
    with pytest.raises(SealaneError) as refused:
        opened.run({"features": FEATURES})
    assert refused.value.code is ErrorCode.ENGINE_RUN_FAILED
    assert refused.value.details["exitCode"] == -signal.SIGABRT
    opened.close()
    process.stop()
    with sealane.open(BOTH, "jvm:tensorflow") as again:
        assert again.run({"features": FEATURES})["scores"].shape == (3, 3)


@pytest.mark.parametrize("name", ["read-file", "write-file"])
def test_a_saved_model_that_reaches_outside_is_refused_before_tensorflow_is_loaded(name, tmp_path):
    recipe = json.loads((HOSTILE / f"savedmodel-{name}.json").read_bytes())
    make_bundle(recipe, tmp_path / "hostile")
    process = remote.EngineProcess("tensorflow")
    try:
        with pytest.raises(SealaneError) as refused:
            process.call("open", tmp_path / "hostile", SETTINGS)
        assert refused.value.code is ErrorCode.ARTIFACT_UNSAFE
        maps = Path(f"/proc/{process._process.pid}/maps")
        assert "libtensorflow" not in maps.read_text()
        process.call("open", BOTH, SETTINGS)
        assert "libtensorflow" in maps.read_text()
    finally:
        process.stop()


ENDS = """
import sealane, sys
from sealane.jvm import remote
session = sealane.open(sys.argv[1], "jvm:tensorflow")
print(remote.engine_process("tensorflow")._process.pid)
"""


def test_the_process_ends_with_the_program_that_started_it():
    done = subprocess.run(
        [sys.executable, "-c", ENDS, BOTH], capture_output=True, text=True, timeout=120, check=True
    )
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)
