"""What went wrong in a PyTorch export, told by the layer it happened in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sealane.export.errors import failed, unsupported

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from sealane.core import SealaneError

_DATA_DEPENDENT = (
    "data-dependent",
    "DataDependent",
    "GuardOnDataDependent",
    "unbacked",
    "torch.cond",
)
_KNOWN_NAMESPACES = ("aten", "prims", "prim", "higher_order", "torchvision", "quantized_decomposed")


def explain(
    error: BaseException, model: Any, stage: str, program: Any | None = None
) -> SealaneError:
    """A coded error that names the layer in which an exporter failed.

    Args:
        error: What the exporter raised.
        model: The module that was exported; its layers are looked for in the traceback.
        stage: What was being done, for the message.
        program: The traced program that was being converted, or None.
    """
    text = _shorten(_root_message(error))
    layer = _failing_layer(error, model) or _layer_of_operator(program, text)
    where = f"layer {layer!r}: " if layer else ""
    details: dict[str, object] = {"layer": layer, "stage": stage, "cause": type(error).__name__}
    if any(mark in text or mark in str(error) for mark in _DATA_DEPENDENT):
        return unsupported(
            f"{where}its control flow depends on the values of a tensor, which a graph can not "
            f"hold; write it with torch.where or torch.cond ({text})",
            **details,
        )
    if "dynamic shapes" in text or "Constraints violated" in text or "specialized" in text:
        return unsupported(
            f"{where}a dim that should be dynamic is fixed by the model ({text}); declare it fixed "
            "with dynamic=…",
            **details,
        )
    if "Dispatch" in text or "no ONNX function" in text or "No ONNX function" in text:
        return unsupported(f"{where}an operator has no ONNX form ({text})", **details)
    return failed(f"{where}{stage} failed: {text}", **details)


def check_program(program: Any) -> None:
    """Refuse what would convert into something that no runtime computes.

    Raises:
        SealaneError: ``EXPORT_UNSUPPORTED`` for a custom operator or a complex tensor, naming the
            layer it is in.
    """
    for node in program.graph.nodes:
        if node.op != "call_function":
            continue
        layer = _layer_of(node)
        namespace = getattr(node.target, "namespace", None)
        if namespace is not None and namespace not in _KNOWN_NAMESPACES:
            raise unsupported(
                f"layer {layer!r} calls the custom operator {node.target}, which has no ONNX form",
                layer=layer,
                operator=str(node.target),
            )
        value = node.meta.get("val")
        if getattr(value, "is_complex", lambda: False)():
            raise unsupported(
                f"layer {layer!r} computes with complex numbers ({node.target}), which no runtime "
                "has; use real arithmetic",
                layer=layer,
                operator=str(node.target),
            )
    mutated = sorted(program.graph_signature.buffers_to_mutate.values())
    if mutated:
        names = [name.removeprefix("model.") for name in mutated]
        raise unsupported(
            f"the model changes its own state when called in eval mode: {', '.join(names)}",
            state=names,
        )


def _layer_of(node: Any) -> str:
    stack: dict[str, tuple[str, Any]] = node.meta.get("nn_module_stack") or {}
    paths = [path for path, _ in stack.values() if path]
    path = re.sub(r"^(L\['self'\]\.)?model\.?", "", paths[-1]) if paths else ""
    return path or "(the model's own forward)"


def _layer_of_operator(program: Any | None, text: str) -> str | None:
    """The layer of the first node whose operator a message names."""
    named = re.search(r"op='(aten\.\w+)'", text)
    if program is None or named is None:
        return None
    for traced in (program, program.run_decompositions()):
        for node in traced.graph.nodes:
            if str(node.target).startswith(f"{named[1]}."):
                return _layer_of(node)
    return None


def _failing_layer(error: BaseException, model: Any) -> str | None:
    """The innermost layer whose code was running when the error was raised."""
    names = {id(module): name for name, module in model.named_modules()}
    found: str | None = None
    for link in _chain(error):
        for frame in _frames(link.__traceback__):
            owner = frame.f_locals.get("self")
            if id(owner) in names:
                found = names[id(owner)] or f"(the forward of {type(owner).__name__})"
        if found is not None:
            return found
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and its causes, the root first."""
    links: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in links:
        links.append(current)
        current = current.__cause__ or current.__context__
    return reversed(links)


def _frames(traceback: TracebackType | None) -> Iterator[Any]:
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next


def _root_message(error: BaseException) -> str:
    for link in _chain(error):
        if str(link).strip():
            return f"{type(link).__name__}: {link}"
    return type(error).__name__


def _shorten(text: str) -> str:
    """The first lines, without source paths."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    kept = [line for line in lines if not line.startswith("File ")][:4]
    return re.sub(r"(/[\w.@+-]+){2,}", "…", " ".join(kept))[:600]
