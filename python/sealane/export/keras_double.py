"""A Keras model rebuilt in float64, as an oracle."""

from __future__ import annotations

from typing import Any, cast

_FLOATS = ("float32", "float16", "bfloat16", "mixed_float16", "mixed_bfloat16")


def double_model(keras: Any, model: Any) -> Any | None:
    """A copy of the model whose layers compute in float64, or None when it can not be rebuilt.

    The layers' configurations are rewritten and the weights copied; the given model is untouched.

    Args:
        keras: The module that the model is from, ``keras`` or ``tf_keras``.
        model: A built model.
    """
    double: Any
    try:
        config = _widen(model.get_config())
        floatx = keras.backend.floatx()
        keras.backend.set_floatx("float64")
        try:
            double = model.__class__.from_config(config)
            double.build_from_config(model.get_build_config() or {})
            weights = model.get_weights()
            if not double.built or len(double.get_weights()) != len(weights):
                return None
            double.set_weights(weights)
            for layer in double._flatten_layers():
                if hasattr(layer, "finalize_state"):
                    layer.finalize_state()
        finally:
            keras.backend.set_floatx(floatx)
    except Exception:
        return None
    if any(weight.dtype.name in _FLOATS for weight in double.get_weights()):
        return None
    return double


def _widen(value: object) -> Any:
    """A configuration in which every float dtype and dtype policy is float64."""
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        return {key: _widen_member(key, member) for key, member in members.items()}
    if isinstance(value, list | tuple):
        items = [_widen(item) for item in cast("list[object]", value)]
        return tuple(items) if isinstance(value, tuple) else items
    return value


def _widen_member(key: str, value: object) -> Any:
    if key in ("dtype", "dtype_policy", "name") and isinstance(value, str):
        return "float64" if value in _FLOATS else value
    return _widen(value)
