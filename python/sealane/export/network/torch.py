"""``torch.nn.Module`` → network: torch.fx traces it, each layer of torch.nn being one step."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from sealane.bundle.network_shapes import SymbolicDim
from sealane.core import SealaneError
from sealane.core.frameworks import load_module
from sealane.export.errors import unsupported
from sealane.export.examples import Style
from sealane.export.network.builder import Built, NetworkBuilder
from sealane.export.network.torch_functions import METHODS, functions
from sealane.export.network.torch_modules import Modules, is_layer, type_name
from sealane.export.network.torch_shaping import Functions
from sealane.export.network.values import BatchSize, Refused, Value, Values, plain
from sealane.export.outputs import flatten

if TYPE_CHECKING:
    from sealane.core import Signature


def torch_network(
    model: Any,
    signature: Signature,
    input_names: Sequence[str],
    style: Style,
    prefix: str = "",
    *,
    any_precision: bool = False,
) -> Built:
    """The network of a module.

    Args:
        model: In eval mode, float32.
        signature: Of the module, its outputs in the module's own order.
        input_names: What the signature calls the module's arguments, in the order they are passed.
        style: Whether they are passed by position or by name.
        prefix: Put before the names of the network's inputs.
        any_precision: Whether its weights may be other than float32.

    Raises:
        SealaneError: EXPORT_UNSUPPORTED naming the module, as in
            ``encoder.gate (torch.nn.Bilinear)``, or the operation that a network can not hold.
    """
    builder = NetworkBuilder(any_precision)
    inputs = {spec.name: builder.input(spec, prefix) for spec in signature.inputs}
    arguments = _arguments(model, input_names, style, inputs)
    if is_layer(model):
        path = type(model).__name__.lower()
        result = Modules(builder).call(path, model, list(arguments.values()), {}, set())
    else:
        result = _Walk(model, builder, arguments).run(_trace(model, input_names, style))
    values: dict[str, str] = {}
    flat = flatten(result)
    for spec, (_, value) in zip(signature.outputs, flat, strict=True):
        values[spec.name] = plain(value, f"output {spec.name!r}")
    return builder.finish(values, inputs, signature)


def _arguments(
    model: Any, names: Sequence[str], style: Style, inputs: Mapping[str, str]
) -> dict[str, Value]:
    """Parameter of ``forward`` → value."""
    if style is Style.KEYWORD:
        return {name: Value(inputs[name]) for name in names}
    parameters = list(inspect.signature(model.forward).parameters)
    return {
        parameter: Value(inputs[name]) for parameter, name in zip(parameters, names, strict=False)
    }


def _trace(model: Any, names: Sequence[str], style: Style) -> Any:
    fx = load_module("torch.fx", "torch")
    parameters = inspect.signature(model.forward).parameters
    open_ended = [
        p.name for p in parameters.values() if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    if open_ended:
        raise unsupported(
            f"forward takes *{open_ended[0]}; for a network its arguments must have names"
        )
    given = set(names) if style is Style.KEYWORD else set(list(parameters)[: len(names)])
    fixed = {
        name: parameter.default
        for name, parameter in parameters.items()
        if name not in given and parameter.default is not parameter.empty
    }

    try:
        return fx.Tracer().trace(model, concrete_args=fixed or None)
    except SealaneError:
        raise
    except Exception as error:
        text = " ".join(str(error).split())[:400]
        raise unsupported(
            f"the module's forward can not be traced into layers, for its Python depends on the "
            f"values or sizes of tensors: {type(error).__name__}: {text}"
        ) from error


class _Walk:
    """Goes through a traced graph, adding layers."""

    def __init__(self, model: Any, builder: NetworkBuilder, arguments: Mapping[str, Value]) -> None:
        self._modules: dict[str, Any] = dict(model.named_modules())
        self._builder = builder
        self._arguments = arguments
        self._functions = Functions(builder)
        self._layers = Modules(builder)
        self._known: dict[Any, Any] = {}

    def run(self, graph: Any) -> Any:
        """The model's result, tensors being values."""
        nodes: list[Any] = list(graph.nodes)
        needed = _needed(nodes)
        for node in nodes:
            if node.op == "output":
                return self._look_up(node.args[0])
            if node in needed:
                self._known[node] = self._step(node)
        raise unsupported("the model returns nothing")

    def _step(self, node: Any) -> Any:
        if node.op == "placeholder":
            name = str(node.target)
            return self._arguments.get(name) or self._arguments.get(name.partition("_")[0])
        if node.op == "get_attr":
            return self._attribute(node)
        arguments = [self._look_up(each) for each in node.args]
        named = {key: self._look_up(value) for key, value in node.kwargs.items()}
        if node.op == "call_module":
            module = self._modules[node.target]
            used = _used_parts(node)
            return self._layers.call(str(node.target), module, arguments, named, used)
        if not any(_has_value(each) for each in (*arguments, *named.values())):
            return self._computed(node, arguments, named)
        if node.op == "call_method":
            method = METHODS.get(str(node.target))
            found, title = method, f"tensor method {node.target!r}"
        else:
            found, title = functions().get(node.target), f"function {_function_name(node.target)}"
        if found is None:
            raise unsupported(
                f"a network can not hold {title}, used {_place(node)}", operation=title
            )
        return found(self._functions, node.name, *arguments, **named)

    def _computed(self, node: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
        """A call on plain Python values, such as arithmetic on sizes."""
        if any(isinstance(each, BatchSize | SymbolicDim) for each in arguments):
            if node.target is getattr and arguments[1] == "shape":
                return arguments[0]
            if node.target in (operator.getitem,):
                return arguments[0][arguments[1]]
            raise unsupported(
                f"a network can not compute with the batch or a dynamic size, {_place(node)}"
            )
        if node.op == "call_method":
            return getattr(arguments[0], node.target)(*arguments[1:], **named)
        return node.target(*arguments, **named)

    def _attribute(self, node: Any) -> Any:
        raise unsupported(
            f"a network can not hold the parameter or buffer {node.target!r} outside of a layer of "
            "torch.nn",
            layer=str(node.target),
        )

    def _look_up(self, argument: Any) -> Any:
        fx = load_module("torch.fx", "torch")
        if isinstance(argument, fx.Node):
            return self._known[argument]
        if isinstance(argument, tuple):
            items = [self._look_up(each) for each in cast("tuple[Any, ...]", argument)]
            make = getattr(type(cast("object", argument)), "_make", tuple)
            return make(items)
        if isinstance(argument, list):
            return [self._look_up(each) for each in cast("list[Any]", argument)]
        if isinstance(argument, Mapping):
            pairs = cast("Mapping[Any, Any]", argument)
            return {key: self._look_up(value) for key, value in pairs.items()}
        if isinstance(argument, slice):
            each = cast("slice[Any, Any, Any]", argument)
            return slice(*map(self._look_up, (each.start, each.stop, each.step)))
        return argument


def _needed(nodes: list[Any]) -> set[Any]:
    """The nodes that lead to the output."""
    wanted = [node for node in nodes if node.op == "output"]
    needed: set[Any] = set()
    while wanted:
        node = wanted.pop()
        if node not in needed:
            needed.add(node)
            wanted.extend(node.all_input_nodes)
    return needed


def _used_parts(node: Any) -> set[Any]:
    """Which items of a tuple that a module returns are used; an empty set when it is used whole."""
    parts: set[Any] = set()
    for user in node.users:
        if user.target is not operator.getitem:
            return set()
        parts.add(user.args[1])
    return parts


def _has_value(argument: Any) -> bool:
    if isinstance(argument, Value | Values | Refused):
        return True
    if isinstance(argument, list | tuple):
        return any(_has_value(each) for each in cast("Sequence[Any]", argument))
    return False


def _function_name(function: Any) -> str:
    module = getattr(function, "__module__", None) or "torch"
    name = getattr(function, "__name__", str(function))
    return f"{module.removeprefix('_')}.{name}"


def _place(node: Any) -> str:
    """Where in the user's modules a node comes from."""
    stack: dict[str, Any] = node.meta.get("nn_module_stack") or {}
    if not stack:
        return "in forward"
    path, kind = list(stack.values())[-1]
    return f"in {path or 'forward'} ({type_name(kind)})"
