"""A SavedModel with its variables folded into constants and its graph optimised ahead of time."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from sealane.core.frameworks import load_module
from sealane.export.saved_model_names import settle_names
from sealane.export.tensorflow_graph import SIGNATURE, quiet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_OPTIMIZERS = ("function", "constfold", "shape", "dependency", "pruning")
"""Grappler's rewrites that keep every operator's own arithmetic, and add no operator that only
TensorFlow's own rewriter knows."""


def freeze(directory: Path) -> None:
    """Rewrite a SavedModel in place.

    Nothing has to be restored when it is loaded but lookup tables, and what TensorFlow would fold
    at the first run is folded already. The names and dtypes of ``serving_default`` stay.

    Args:
        directory: The SavedModel's; its only signature def is ``serving_default``.
    """
    tf = load_module("tensorflow", "tensorflow")
    conversion = load_module("tensorflow.python.framework.convert_to_constants", "tensorflow")
    loaded: Any = tf.saved_model.load(str(directory))
    function: Any = loaded.signatures[SIGNATURE]
    frozen: Any = conversion.convert_variables_to_constants_v2(function, lower_control_flow=False)
    graph = _optimised(frozen)
    arguments: dict[str, Any] = dict(function.structured_input_signature[1])
    handles = _handles(frozen, function)
    results = [tensor.name for tensor in frozen.outputs]
    keys = sorted(function.structured_outputs)

    def serve(**tensors: Any) -> dict[str, Any]:
        capture = tf.compat.v1.get_default_graph().capture
        fed = {f"{key}:0": tensor for key, tensor in tensors.items()}
        fed |= {name: capture(handle) for name, handle in handles.items()}
        found: list[Any] = tf.import_graph_def(
            graph, input_map=fed, return_elements=results, name=""
        )
        return {key: tf.identity(each) for key, each in zip(keys, found, strict=True)}

    module = tf.Module()
    module.tables = _tables(loaded, handles)
    beside = directory.with_name(f"{directory.name}-frozen")
    with quiet():
        concrete = tf.function(serve, autograph=False).get_concrete_function(**arguments)
        tf.saved_model.save(module, str(beside), signatures={SIGNATURE: concrete})
    (beside / "fingerprint.pb").unlink(missing_ok=True)
    settle_names(beside)
    shutil.rmtree(directory)
    beside.rename(directory)
    for name in ("assets", "variables"):
        if (directory / name).is_dir() and not any((directory / name).iterdir()):
            (directory / name).rmdir()


def _optimised(frozen: Any) -> Any:
    """The function's GraphDef after Grappler."""
    config_pb2 = load_module("tensorflow.core.protobuf.config_pb2", "tensorflow")
    grappler = load_module("tensorflow.python.grappler.tf_optimizer", "tensorflow")
    saver = load_module("tensorflow.python.training.saver", "tensorflow")
    graph = frozen.graph.as_graph_def()
    meta = saver.export_meta_graph(graph_def=graph, graph=frozen.graph)
    fetches = meta.collection_def["train_op"].node_list.value
    fetches.extend(tensor.name for tensor in frozen.outputs)
    config: Any = config_pb2.ConfigProto()
    rewrites = config.graph_options.rewrite_options
    rewrites.optimizers.extend(_OPTIMIZERS)
    rewrites.min_graph_nodes = -1
    with quiet():
        optimised: Any = grappler.OptimizeGraph(config, meta)
    _rename_functions(optimised)
    return _with_inputs(optimised, graph)


def _rename_functions(graph: Any) -> None:
    """New names for the graph's functions: TensorFlow knows others by the old ones by now."""
    names = {each.signature.name: f"{each.signature.name}_ahead" for each in graph.library.function}
    bodies = [graph.node, *(function.node_def for function in graph.library.function)]
    for node in (node for body in bodies for node in body):
        node.op = names.get(node.op, node.op)
        for value in node.attr.values():
            for called in _called(value):
                called.name = names.get(called.name, called.name)
    for function in graph.library.function:
        function.signature.name = names[function.signature.name]


def _called(value: Any) -> list[Any]:
    """The functions that an attribute names."""
    kind = value.WhichOneof("value")
    if kind == "func":
        return [value.func]
    return list(value.list.func) if kind == "list" else []


def _with_inputs(optimised: Any, original: Any) -> Any:
    """The graph with the placeholders that no output depends on, so that each can be fed."""
    present = {node.name for node in optimised.node}
    for node in original.node:
        if node.op == "Placeholder" and node.name not in present:
            optimised.node.append(node)
    return optimised


def _handles(frozen: Any, function: Any) -> dict[str, Any]:
    """What the graph captures besides variables, lookup tables: placeholder → handle."""
    captured = {inner.name: outer for outer, inner in function.graph.captures}
    names = [tensor.name for tensor in frozen.inputs]
    return {name: captured[name] for name in names if name in captured}


def _tables(loaded: Any, handles: Mapping[str, Any]) -> list[Any]:
    """The tables behind handles, which the SavedModel has to keep."""
    view = load_module("tensorflow.python.checkpoint.graph_view", "tensorflow")
    tracked: list[Any] = view.ObjectGraphView(loaded).breadth_first_traversal()[0]
    wanted = [id(handle) for handle in handles.values()]
    return [each for each in tracked if id(getattr(each, "resource_handle", None)) in wanted]
