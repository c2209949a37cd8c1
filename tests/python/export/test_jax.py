"""JAX functions and Flax modules: what they compute in every variant, and what is refused."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from python.export.zoo import columns, rows, transforms

import sealane
from sealane.bundle import read_bundle
from sealane.core import DType, SealaneError
from sealane.export import export
from sealane.jax import JaxModel

jax = pytest.importorskip("jax", reason="the extra jax is not installed")
import jax.numpy as jnp  # noqa: E402
from flax import linen, nnx  # noqa: E402


class Mlp(nnx.Module):
    def __init__(self, rngs):
        self.first = nnx.Linear(4, 16, rngs=rngs)
        self.dropout = nnx.Dropout(0.5, rngs=rngs)
        self.last = nnx.Linear(16, 3, rngs=rngs)

    def __call__(self, x):
        return self.last(self.dropout(nnx.gelu(self.first(x))))


class LinenMlp(linen.Module):
    @linen.compact
    def __call__(self, x, train=False):
        x = nnx.relu(linen.Dense(16)(x))
        x = linen.Dropout(0.5, deterministic=not train)(x)
        return {"logits": linen.Dense(2, name="head")(x)}


class Cnn(nnx.Module):
    def __init__(self, rngs):
        self.conv = nnx.Conv(3, 8, (3, 3), rngs=rngs)
        self.norm = nnx.BatchNorm(8, rngs=rngs)
        self.norm.mean[...] = jnp.linspace(-0.5, 0.5, 8)
        self.norm.var[...] = jnp.linspace(0.5, 2.0, 8)
        self.head = nnx.Linear(8 * 4 * 4, 5, rngs=rngs)

    def __call__(self, image):
        x = nnx.relu(self.norm(self.conv(image)))
        x = nnx.max_pool(x, window_shape=(2, 2), strides=(2, 2))
        x = nnx.avg_pool(x, window_shape=(2, 2), strides=(2, 2), padding="SAME")
        return nnx.softmax(self.head(x.reshape(x.shape[0], -1)))


class Block(nnx.Module):
    def __init__(self, rngs):
        self.norm = nnx.LayerNorm(16, rngs=rngs)
        self.attention = nnx.MultiHeadAttention(2, 16, decode=False, rngs=rngs)
        self.feed = nnx.Sequential(nnx.Linear(16, 32, rngs=rngs), nnx.silu)
        self.head = nnx.Linear(32, 2, rngs=rngs)

    def __call__(self, x):
        return self.head(self.feed(x + self.attention(self.norm(x)))).mean(1)


class Tabular(nnx.Module):
    def __init__(self, rngs):
        self.carrier = nnx.Embed(transforms().cardinalities["carrier"], 4, rngs=rngs)
        self.delay = nnx.Embed(transforms().cardinalities["delay"], 3, rngs=rngs)
        self.head = nnx.Linear(8, 1, rngs=rngs)

    def __call__(self, numeric, carrier, delay):
        parts = [numeric, self.carrier(carrier), self.delay(delay)]
        return nnx.sigmoid(self.head(jnp.concatenate(parts, axis=-1)))


class Ids(nnx.Module):
    def __init__(self, rngs):
        self.embed = nnx.Embed(20, 6, rngs=rngs)
        self.head = nnx.Linear(9, 2, rngs=rngs)

    def __call__(self, numeric, ids):
        both = jnp.concatenate([numeric, self.embed(ids).mean(1)], -1)
        logits = self.head(both)
        return {"logits": logits, "label": logits.argmax(-1)}


def linen_mlp():
    module = LinenMlp()
    return JaxModel(module.apply, module.init(jax.random.key(1), rows(1, 4)))


def plain():
    params = {"weight": rows(4, 3), "bias": jnp.arange(3.0)}
    return JaxModel(lambda p, x: jnp.tanh(x @ p["weight"] + p["bias"]), params)


def half():
    weight = jnp.asarray(rows(4, 8), jnp.float16)
    return JaxModel(lambda w, x: jnp.tanh(x.astype(jnp.float16) @ w), weight)


def brain(inside):
    weight = jnp.asarray(rows(4, 8), jnp.bfloat16 if inside else jnp.float32)
    return JaxModel(lambda w, x: (x.astype(w.dtype) @ w).astype(jnp.bfloat16), weight)


def double():
    with jax.enable_x64(True):
        weight = jnp.asarray(rows(4, 3), jnp.float64)
    return JaxModel(lambda w, x: jnp.tanh(x @ w), weight)


def ids():
    return {"numeric": rows(9, 3), "ids": np.random.default_rng(2).integers(0, 20, (9, 5))}


MODELS = {
    "nnx-mlp": (lambda: Mlp(nnx.Rngs(0)), lambda: (rows(9, 4),), {}),
    "linen-mlp": (linen_mlp, lambda: (rows(9, 4),), {}),
    "cnn": (lambda: Cnn(nnx.Rngs(0)), lambda: (rows(6, 16, 16, 3),), {}),
    "attention": (lambda: Block(nnx.Rngs(0)), lambda: (rows(6, 5, 16),), {}),
    "function": (plain, lambda: {"x": rows(9, 4)}, {"output_names": ["squashed"]}),
    "ids": (lambda: Ids(nnx.Rngs(0)), ids, {}),
    "raw-columns": (lambda: Tabular(nnx.Rngs(0)), columns, {"features": transforms}),
}


@pytest.mark.parametrize("name", MODELS)
def test_every_runtime_computes_what_jax_does(name, tmp_path):
    make, examples, options = MODELS[name]
    options = {key: value() if callable(value) else value for key, value in options.items()}
    model = make()
    before = leaves(model)
    made = sealane.export(
        model, examples(), name, path=tmp_path / name, runtimes=["jvm", "jvm:tensorflow"], **options
    )
    after = leaves(model)
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    with read_bundle(tmp_path / name, keep=("onnx",)) as bundle:
        found = {run["backend"]: run["verdict"] for run in bundle.certificate["runs"]}
        assert found == {
            "onnx": "within-oracle",
            "jvm:onnx": "bit-exact",
            "tensorflow": "within-oracle",
            "jvm:tensorflow": "within-oracle",
        }, (found, bundle.manifest.unavailable)
        # Attention's softmax is in float32, whatever the inputs are.
        oracle = "onnx-reference-f64" if name == "attention" else "jax-f64"
        assert bundle.certificate["oracle"]["kind"] == oracle
        assert bundle.certificate["reference"]["framework"] == "jax"
        assert {1, 2, 7} <= {case.batch for case in bundle.golden}
        data = bundle.artifact("onnx").data
        assert not [word for word in (b"/home", b"site-packages", b"/tmp/") if word in data]
    assert made.verify(runtimes=["onnx", "jvm"]).ok


def test_names_and_dtypes_are_the_models_own(tmp_path):
    model = Ids(nnx.Rngs(0))
    export(model, ids(), name="ids", path=tmp_path / "ids", formats=("onnx",))
    with read_bundle(tmp_path / "ids") as bundle:
        signature = bundle.signature
    assert [(spec.name, spec.dtype, spec.shape) for spec in signature.inputs] == [
        ("numeric", DType.FP32, ("batch", 3)),
        ("ids", DType.INT64, ("batch", 5)),
    ]
    assert [(spec.name, spec.dtype) for spec in signature.outputs] == [
        ("logits", DType.FP32),
        ("label", DType.INT32),
    ]
    with sealane.open(tmp_path / "ids") as session:
        given = ids()
        found = session.run(given)
    model.eval()
    expected = model(**given)
    np.testing.assert_allclose(found["logits"], expected["logits"], rtol=0, atol=1e-5)
    assert found["label"].tolist() == expected["label"].tolist()


def test_an_int64_that_jax_would_cut_off_is_refused(tmp_path):
    given = {"numeric": rows(2, 3), "ids": np.full((2, 5), 2**40)}
    assert "int32" in refused(Ids(nnx.Rngs(0)), given, tmp_path).message


@pytest.mark.parametrize(
    ("make", "dtype"),
    [(half, DType.FP16), (lambda: brain(inside=False), DType.BF16), (double, DType.FP64)],
)
def test_other_precisions(make, dtype, tmp_path):
    x = rows(9, 4).astype(np.float64)
    export(make(), (x,), name="m", path=tmp_path / "m", formats=("onnx",))
    with read_bundle(tmp_path / "m") as bundle:
        assert bundle.signature.outputs[0].dtype is dtype
        assert bundle.certificate["runs"][0]["verdict"] == "within-oracle"
    assert not jax.config.jax_enable_x64


def test_a_product_in_bfloat16_is_refused_as_no_runtime_has_it(tmp_path):
    error = refused(brain(inside=True), (rows(9, 4),), tmp_path)
    assert error.code == "EXPORT_UNSUPPORTED"
    assert "T=bfloat16 has no CPU kernel" in error.message


def test_dynamic_dims_besides_the_batch(tmp_path):
    dynamic = {"x": {0: "batch", 1: "length"}}
    path = tmp_path / "m"
    export(Block(nnx.Rngs(0)), (rows(6, 5, 16),), name="m", path=path, dynamic=dynamic)
    with sealane.open(path) as session:
        assert session.run({"x": rows(3, 11, 16)})["output"].shape == (3, 2)


def test_dropout_of_a_module_in_train_mode_is_off_and_it_stays_in_train_mode(tmp_path):
    model = Mlp(nnx.Rngs(0))
    model.train()
    drawn = int(model.dropout.rngs.count[...])
    export(model, (rows(9, 4),), name="m", path=tmp_path / "m", formats=("onnx",))
    assert not model.dropout.deterministic
    assert int(model.dropout.rngs.count[...]) == drawn
    model.eval()
    with sealane.open(tmp_path / "m") as session:
        found = session.run({"x": rows(9, 4)})["output"]
    np.testing.assert_allclose(found, model(rows(9, 4)), rtol=0, atol=1e-5)


def test_an_export_is_the_same_bytes_each_time(tmp_path):
    made = []
    for name in ("a", "b"):
        export(Mlp(nnx.Rngs(0)), (rows(9, 4),), name="m", path=tmp_path / name, formats=("onnx",))
        made.append((tmp_path / name / "1" / "model.onnx").read_bytes())
    assert made[0] == made[1]


def test_sealane_does_not_import_jax():
    code = "import sys, sealane; assert not {'jax', 'flax', 'jax2onnx'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


class Counting(nnx.Module):
    def __init__(self):
        self.calls = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.calls[...] += 1
        return x * 2


class Noisy(nnx.Module):
    def __init__(self):
        self.rngs = nnx.Rngs(noise=3)

    def __call__(self, x):
        return x + jax.random.normal(self.rngs.noise(), x.shape)


class Branching(nnx.Module):
    def __call__(self, x):
        return x * 2 if x.sum() > 0 else x - 1


class Positional(nnx.Module):
    def __call__(self, x):
        return nnx.max_pool(x[:, :, None], (2,))


def drifting():
    calls = []

    def apply(params, x):
        calls.append(1)
        return x * params + len(calls)

    return JaxModel(apply, jnp.ones(()))


def called_back():
    def apply(params, x):
        return jax.pure_callback(lambda v: v * 2, jax.ShapeDtypeStruct(x.shape, x.dtype), x)

    return JaxModel(apply, jnp.ones(()))


def complex_out():
    return JaxModel(lambda p, x: jax.lax.complex(x, p * x), jnp.ones(()))


def without_variables():
    return JaxModel(LinenMlp().apply, {"params": {}})


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (Counting, ["calls", "state"]),
        (Noisy, ["rngs.noise.count", "random"]),
        (Branching, ["Branching", "control flow"]),
        (drifting, ["differs between two calls"]),
        (called_back, ["'pure_callback'", "no ONNX form"]),
        (complex_out, ["complex64"]),
        (Positional, ["Positional", "max_pool by keyword"]),
        (without_variables, ["kernel"]),
        (LinenMlp, ["sealane.jax.JaxModel(module.apply, variables)"]),
    ],
)
def test_what_can_not_be_exported_is_named(make, words, tmp_path):
    error = refused(make(), (rows(3, 4),), tmp_path)
    assert error.code == "EXPORT_UNSUPPORTED"
    assert all(word in error.message for word in words), error.message


def test_there_is_no_network_of_a_jax_model(tmp_path):
    error = refused(Mlp(nnx.Rngs(0)), (rows(3, 4),), tmp_path, formats=("onnx", "dl4j"))
    assert error.code == "EXPORT_UNSUPPORTED"
    assert "JAX" in error.message


def test_a_missing_extra_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "jax2onnx", None)
    error = refused(plain(), (rows(3, 4),), tmp_path)
    assert error.code == "ENGINE_UNAVAILABLE"
    assert "sealane[jax]" in error.message


def leaves(model):
    state = model.params if isinstance(model, JaxModel) else nnx.state(model)
    data = [jax.random.key_data(leaf) if is_key(leaf) else leaf for leaf in jax.tree.leaves(state)]
    return [np.array(leaf) for leaf in data]


def is_key(leaf):
    return jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def refused(model, examples, tmp_path, **options):
    with pytest.raises(SealaneError) as caught:
        export(model, examples, name="m", path=tmp_path / "m", **options)
    assert list(tmp_path.iterdir()) == []
    return caught.value
