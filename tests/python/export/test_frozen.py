"""SavedModels with their variables as constants, and what TensorFlow for Java can not run."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from python.export.zoo import entry

import sealane
from sealane import ErrorCode, SealaneError
from sealane.bundle import Verdict, read_bundle
from sealane.export import artifacts, export, frozen_graph
from sealane.export.tensorflow_java import tensorflow_java


def exported(name, path, **options):
    chosen = entry(name)
    return sealane.export(
        chosen.model, chosen.examples, "m", path=path, **{**chosen.options, **options}
    )


@pytest.mark.parametrize("name", ["keras:lstm", "keras:raw-columns"])
def test_a_frozen_saved_model_keeps_its_verdict_on_both_engines(name, tmp_path):
    bundle = exported(name, tmp_path / "m", frozen_saved_model=True, runtimes=("jvm:tensorflow",))
    runs = {run["backend"]: run["verdict"] for run in bundle.certificate["runs"]}
    assert runs["tensorflow"] == runs["jvm:tensorflow"] == "within-oracle"
    with read_bundle(bundle.path) as read:
        assert read.variant("savedmodel").verdict is Verdict.WITHIN_ORACLE
    assert bundle.verify(["tensorflow", "jvm:tensorflow"]).ok
    operators = saved_operators(bundle.path / "1")
    assert not operators & {"VarHandleOp", "ReadVariableOp"}
    assert ("LookupTableFindV2" in operators) == (name == "keras:raw-columns")


def saved_operators(directory):
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel.FromString((directory / "saved_model.pb").read_bytes())
    graph = model.meta_graphs[0].graph_def
    bodies = [graph.node, *(each.node_def for each in graph.library.function)]
    return {node.op for body in bodies for node in body}


def test_equal_models_give_equal_bytes(tmp_path):
    first, second = (
        exported("keras:sequential-gelu", tmp_path / name, frozen_saved_model=True) for name in "ab"
    )
    assert first.manifest.content_id == second.manifest.content_id


def save(directory, function, **arguments):
    import tensorflow as tf

    module = tf.Module()
    concrete = tf.function(function).get_concrete_function(**arguments)
    tf.saved_model.save(module, str(directory), signatures={"serving_default": concrete})


def test_an_operator_that_came_later_is_named(tmp_path):
    import tensorflow as tf

    def serve(x):
        webp = tf.raw_ops.DecodeWebP(contents=x)
        return {"y": tf.cast(webp, tf.float32) + 1}

    save(tmp_path / "m", serve, x=tf.TensorSpec([], tf.string, name="x"))
    assert tensorflow_java().lacking(tmp_path / "m") == ["operator DecodeWebP"]


def test_an_attribute_that_came_later_is_named(tmp_path):
    import tensorflow as tf

    save(tmp_path / "m", lambda x: {"y": x + 1}, x=tf.TensorSpec([None], tf.float32, name="x"))
    java = tensorflow_java()
    assert java.lacking(tmp_path / "m") == []
    older = dataclasses.replace(java, operators={**java.operators, "AddV2": frozenset()})
    assert older.lacking(tmp_path / "m") == ["attribute T of operator AddV2"]


def test_what_will_not_run_in_a_jvm_stands_in_the_certificate(tmp_path, monkeypatch):
    java = tensorflow_java()
    older = dataclasses.replace(java, operators={**java.operators})
    del older.operators["Erfc"]
    monkeypatch.setattr(artifacts, "tensorflow_java", lambda: older)
    bundle = exported("keras:sequential-gelu", tmp_path / "m")
    notes = bundle.certificate["notes"]
    assert [note for note in notes if "for Java" in note] == [
        f"TensorFlow {java.version} for Java can not run the SavedModel: operator Erfc"
    ]


def test_a_runtime_that_can_not_run_the_model_ends_the_export(tmp_path):
    def witness(path):
        raise SealaneError(ErrorCode.ARTIFACT_UNSUPPORTED, f"{path.name} needs operator Erfc")

    chosen = entry("keras:sequential-gelu")
    with pytest.raises(SealaneError, match="needs operator Erfc") as refused:
        export(chosen.model, chosen.examples, name="m", path=tmp_path / "m", witnesses=(witness,))
    assert refused.value.code is ErrorCode.EXPORT_UNSUPPORTED
    assert not (tmp_path / "m").exists()


def test_inputs_that_nothing_depends_on_can_still_be_fed(tmp_path):
    import tensorflow as tf

    specs = {name: tf.TensorSpec([None], tf.float32, name=name) for name in ("used", "unused")}
    save(tmp_path / "m", lambda used, unused: {"y": used * 2}, **specs)
    frozen_graph.freeze(tmp_path / "m")
    function = tf.saved_model.load(str(tmp_path / "m")).signatures["serving_default"]
    two = tf.constant(np.ones(2, np.float32))
    assert function(used=two, unused=two)["y"].numpy().tolist() == [2, 2]
