"""The Session protocol in the JVM: the same bits, dtypes, errors and lifetimes as in Python."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from onnx import helper
from python.runtime import bundles, models
from python.runtime.test_engines import sample

import sealane
from sealane import DType, ErrorCode, SealaneError, Session, Signature, TensorSpec
from sealane.bundle import Policy, TrustedSigners, Verdict, read_bundle
from sealane.core import Domain, SymbolRange
from sealane.jvm.session import MAX_BOUND_SHAPES, SMALL_BYTES
from sealane.runtime import ParityWarning


@pytest.fixture(scope="module")
def mlp(tmp_path_factory):
    return bundles.mlp_bundle(tmp_path_factory.mktemp("jvm") / "mlp", 64, 256, 256, 10)


@pytest.fixture
def session(mlp):
    with sealane.open(mlp, "jvm") as opened:
        yield opened


def wrapped(path, nodes, signature, initializers=None):
    made = models.model(nodes, signature, initializers)
    return sealane.open(bundles.write_onnx(path, made, signature), "jvm", replay="off")


def test_the_session_describes_itself(session, mlp):
    assert isinstance(session, Session)
    assert session.engine == "jvm:onnx"
    assert session.engine_version == "1.28.0"
    assert session.signature == sealane.inspect(mlp).signature
    assert "jvm:onnx 1.28.0" in repr(session)
    assert session.options["optimisation"] == "all"


@pytest.mark.parametrize("rows", [0, 1, 2, 7, 256, 2000])
def test_python_and_jvm_give_the_same_bits(session, mlp, rows):
    x = np.random.default_rng(rows).standard_normal((rows, 64), np.float32)
    with sealane.open(mlp) as python:
        expected = python.run({"x": x})["y"]
    for _ in range(3):
        result = session.run({"x": x})["y"]
        assert result.shape == expected.shape
        assert result.tobytes() == expected.tobytes()


@pytest.mark.parametrize("dtype", list(DType))
@pytest.mark.parametrize("shape", [(), (3,), (0, 3), (2, 1, 3)])
def test_every_dtype_and_rank_goes_through(tmp_path, dtype, shape):
    dims = tuple(f"d{axis}" for axis in range(len(shape)))
    signature = Signature((TensorSpec("x", dtype, dims),), (TensorSpec("y", dtype, dims),))
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    with wrapped(tmp_path / "b", nodes, signature) as session:
        value = sample(dtype, shape)
        if dtype is DType.BYTES:
            value[value == "a\0b"] = "b"
        for _ in range(3):
            result = session.run({"x": value})["y"]
            assert result.dtype == dtype.numpy
            assert result.shape == shape
            assert result.tolist() == value.tolist()


def test_results_are_never_overwritten(session):
    x = np.ones((2, 64), np.float32)
    results = [session.run({"x": x * n})["y"] for n in range(6)]
    again = [session.run({"x": x * n})["y"] for n in range(6)]
    assert [each.tobytes() for each in results] == [each.tobytes() for each in again]
    assert len({each.tobytes() for each in results}) == 6
    results[0][:] = 0


def test_large_results_outlive_the_session(tmp_path):
    signature = Signature(
        (TensorSpec("x", DType.FP32, ("n",)),), (TensorSpec("y", DType.FP32, ("n",)),)
    )
    nodes = [helper.make_node("Neg", ["x"], ["y"])]
    x = np.arange(SMALL_BYTES, dtype=np.float32)
    with wrapped(tmp_path / "b", nodes, signature) as session:
        results = [session.run({"x": x + n})["y"] for n in range(4)]
    gc.collect()
    for n, result in enumerate(results):
        np.testing.assert_array_equal(result, -(x + n))


def test_read_only_and_strided_inputs_are_read_right(session):
    x = np.random.default_rng(0).standard_normal((64, 512), np.float32)
    expected = session.run({"x": np.ascontiguousarray(x.T)})["y"]
    frozen = np.ascontiguousarray(x.T)
    frozen.flags.writeable = False
    assert session.run({"x": x.T})["y"].tobytes() == expected.tobytes()
    assert session.run({"x": frozen})["y"].tobytes() == expected.tobytes()


def test_sizes_that_only_the_run_tells(tmp_path):
    signature = Signature(
        (TensorSpec("x", DType.FP32, ("n",)),), (TensorSpec("y", DType.INT64, (1, "found")),)
    )
    nodes = [helper.make_node("NonZero", ["x"], ["y"])]
    with wrapped(tmp_path / "b", nodes, signature) as session:
        for values, expected in (([0, 1, 2], [[1, 2]]), ([1, 0, 0], [[0]]), ([0, 0, 0], [[]])):
            assert session.run({"x": values})["y"].tolist() == expected


def test_an_output_larger_than_its_signature_says_is_an_error_not_a_number(tmp_path):
    signature = Signature(
        (TensorSpec("x", DType.FP32, ("n",)),), (TensorSpec("y", DType.FP32, ("n",)),)
    )
    nodes = [helper.make_node("Concat", ["x", "x"], ["y"], axis=0)]
    with wrapped(tmp_path / "b", nodes, signature) as session:
        for _ in range(3):
            with pytest.raises(SealaneError) as caught:
                session.run({"x": [1.0, 2.0]})
            assert caught.value.code is ErrorCode.ENGINE_RUN_FAILED


def test_text_goes_through_in_one_block(tmp_path):
    with sealane.open(bundles.text_bundle(tmp_path / "text"), "jvm") as session:
        text = ["", "a", "naïve", "日本", "🛫" * 50, *map(str, range(1000))]
        result = session.run({"carrier": text, "d": np.arange(len(text), dtype=np.float32)})
        assert result["same"].tolist() == text
        assert result["more"].tolist() == list(range(1, len(text) + 1))
        only = session.run({"carrier": ["x"], "d": [0]}, outputs=["more"])
        assert list(only) == ["more"]
        empty = session.run({"carrier": [], "d": []})
        assert empty["same"].shape == (0,)


def test_text_with_a_nul_is_refused_because_java_can_not_read_it_exactly(tmp_path):
    with sealane.open(bundles.text_bundle(tmp_path / "text"), "jvm") as session:
        with pytest.raises(SealaneError, match=r"U\+0000"):
            session.run({"carrier": ["a\0b"], "d": [0]})
        assert session.run({"carrier": ["ok"], "d": [0]})["same"].tolist() == ["ok"]


def test_missing_text_and_domains_are_judged_as_in_python(tmp_path):
    domain = Domain(nullable=True, vocabulary=("UA",), closed=True)
    signature = Signature(
        (TensorSpec("x", DType.BYTES, ("n",), domain=domain),),
        (TensorSpec("y", DType.BYTES, ("n",)),),
        {"n": SymbolRange(1, 4)},
    )
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    with wrapped(tmp_path / "b", nodes, signature) as session:
        assert session.signature.inputs == signature.inputs
        assert session.signature.symbols == signature.symbols
        assert session.run({"x": ["UA", None, ""]})["y"].tolist() == ["UA", "", ""]
        with pytest.raises(SealaneError) as caught:
            session.run({"x": ["ZZ"]})
        assert caught.value.code is ErrorCode.INPUT_DOMAIN
        with pytest.raises(SealaneError) as caught:
            session.run({"x": ["UA"] * 5})
        assert caught.value.code is ErrorCode.INPUT_SHAPE


def test_many_shapes_do_not_add_up(bridge, tmp_path):
    signature = Signature(
        (TensorSpec("x", DType.FP32, ("n",)),), (TensorSpec("y", DType.FP32, ("n",)),)
    )
    nodes = [helper.make_node("Neg", ["x"], ["y"])]
    before = bridge.live()
    with wrapped(tmp_path / "b", nodes, signature) as session:
        for n in [*range(1, 400), *range(1, 400)]:
            x = np.full(n, n, np.float32)
            for _ in range(2):
                assert session.run({"x": x})["y"].tolist() == [-n] * n
        assert bridge.live() - before <= MAX_BOUND_SHAPES + 1


def test_threads_get_their_own_results(session, mlp):
    rows = [np.random.default_rng(n).standard_normal((1 + n % 3, 64), np.float32) for n in range(8)]
    with sealane.open(mlp) as python:
        expected = [python.run({"x": x})["y"].tobytes() for x in rows]
    wrong: list[int] = []

    def work(n: int):
        for _ in range(300):
            if session.run({"x": rows[n]})["y"].tobytes() != expected[n]:
                wrong.append(n)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert wrong == []


def test_close_waits_for_runs_in_flight(mlp):
    session = sealane.open(mlp, "jvm")
    x = np.ones((64, 64), np.float32)
    expected = session.run({"x": x})["y"].tobytes()
    outcomes: list[object] = []

    def work():
        while True:
            try:
                outcomes.append(session.run({"x": x})["y"].tobytes() == expected)
            except SealaneError as error:
                outcomes.append(error.code)
                return

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    session.close()
    session.close()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert outcomes.count(ErrorCode.SESSION_CLOSED) == 4
    assert set(outcomes) == {True, ErrorCode.SESSION_CLOSED}


def test_ended_threads_leave_the_jvm(session):
    import jpype

    x = np.ones((1, 64), np.float32)
    count = jpype.JClass("java.lang.management.ManagementFactory").getThreadMXBean().getThreadCount

    def once():
        session.run({"x": x})

    def churn():
        for _ in range(50):
            thread = threading.Thread(target=once)
            thread.start()
            thread.join()

    churn()
    before = count()
    churn()
    assert count() - before <= 2


def test_a_dropped_session_is_freed_and_reported(bridge, mlp):
    before = bridge.live()
    session = sealane.open(mlp, "jvm")
    for _ in range(3):
        session.run({"x": np.ones((1, 64), np.float32)})
    assert bridge.live() > before
    holder = [session]
    del session
    with pytest.warns(ResourceWarning, match="dropped without close"):
        holder.clear()
    assert bridge.live() == before


def test_javas_errors_keep_their_codes(mlp, tmp_path):
    def refused(path, **options):
        with pytest.raises(SealaneError) as caught:
            sealane.open(path, "jvm", **options)
        return caught.value

    assert refused(tmp_path / "none").code is ErrorCode.BUNDLE_NOT_FOUND
    assert refused(mlp, variant="other").code is ErrorCode.VARIANT_NOT_FOUND
    assert refused(mlp, optimization="fast").code is ErrorCode.BRIDGE_FAILED
    (mlp / "extra.txt").write_text("x")
    try:
        error = refused(mlp)
    finally:
        (mlp / "extra.txt").unlink()
    assert error.code is ErrorCode.FILES_DIFFER
    assert error.details["extra"] == ["extra.txt"]


def test_a_golden_case_that_comes_out_otherwise_is_refused(tmp_path):
    made, signature = models.mlp(4, 3)
    x = np.arange(8, dtype=np.float32).reshape(2, 4)
    case = bundles.spoiled(bundles.golden_from(made, signature, "case", {"x": x}), "y", 1e-3)
    path = bundles.write_onnx(
        tmp_path / "bad", made, signature, (case,), verdict=Verdict.WITHIN_ORACLE
    )
    with pytest.raises(SealaneError) as caught:
        sealane.open(path, "jvm")
    assert caught.value.code is ErrorCode.PARITY_FAILED
    with pytest.warns(ParityWarning):
        sealane.open(path, "jvm", replay="warn").close()
    sealane.open(path, "jvm", replay="off").close()


def test_a_policy_holds_in_the_jvm_too(mlp):
    bit_exact = Policy(required_verdict=Verdict.BIT_EXACT)
    sealane.open(mlp, "jvm", policy=bit_exact).close()
    with pytest.raises(SealaneError) as caught:
        sealane.open(mlp, "jvm", policy=Policy(signed_by=TrustedSigners()))
    assert caught.value.code is ErrorCode.SIGNING_MISSING


def test_verify_shows_the_same_bits_on_both_sides(mlp):
    result = sealane.verify(mlp, ["onnx", "jvm"])
    assert result.ok
    assert [row.verdict for row in result.rows] == [Verdict.BIT_EXACT, Verdict.BIT_EXACT]
    assert result.rows[1].same_bits_as == "onnx"
    assert "jvm:onnx has the same bits as onnx on the onnx artifact" in repr(result)


def test_diff_of_two_runtimes(mlp):
    result = sealane.diff(mlp, runtimes=["onnx", "jvm"])
    assert result.same
    assert result.b.endswith("jvm:onnx")


def test_diff_of_two_bundles_in_the_jvm_names_the_node(tmp_path):
    made, signature = models.mlp(4, 8, 3)
    case = bundles.golden_from(made, signature, "case", {"x": np.ones((1, 4), np.float32)})
    a = bundles.write_onnx(tmp_path / "a", made, signature, (case,), verdict=Verdict.BIT_EXACT)
    made.graph.node[1].op_type = "Softplus"
    made.graph.node[1].op_type = "Relu"
    other, _ = models.mlp(4, 8, 3, seed=1)
    b = bundles.write_onnx(tmp_path / "b", other, signature)
    result = sealane.diff(a, b, runtimes=["onnx", "jvm"])
    assert result.first_node is not None
    assert result.first_node.output == "h0"


def test_the_verified_bundle_can_be_opened_in_the_jvm(mlp):
    with read_bundle(mlp) as verified, sealane.open(verified, "jvm") as session:
        assert session.run({"x": np.ones((1, 64), np.float32)})["y"].shape == (1, 10)


def test_a_session_left_open_does_not_disturb_the_end_of_the_process(mlp):
    program = f"import sealane; session = sealane.open({str(mlp)!r}, 'jvm')"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
