"""Fitting: a declaration and a table become a program of steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sealane.core import Domain, DType, ErrorCode, SealaneError, TensorSpec
from sealane.features import steps
from sealane.features.categorical import Lookup
from sealane.features.columns import MOMENT, is_moment, raw_column
from sealane.features.dates import DateParts
from sealane.features.declare import Chain, Flow, Kind, refuse
from sealane.features.numeric import Passthrough
from sealane.features.ops import TINY, Array, NumpyOps
from sealane.features.program import FittedChain

VOCABULARY_LIMIT = 1000
"""Longer vocabularies are left out of the signature's domain; the program has them all."""

_OPS = NumpyOps(np.float64)


def fit_chain(
    name: str, chain: Chain, data: object
) -> tuple[FittedChain, TensorSpec, tuple[Flow, ...]]:
    """Fits one chain.

    Args:
        name: The feature's name.
        chain: Its transforms.
        data: A DataFrame or a dict of columns.

    Returns:
        The fitted chain, the raw column as an input, and the flows that leave the chain.

    Raises:
        SealaneError: As `Features.fit` does.
    """
    column = chain.column or name
    if not chain.transforms:
        raise SealaneError(
            ErrorCode.EXPORT_UNSUPPORTED,
            f"Feature {name!r} has no transform. Use Passthrough() to take a number as it is.",
        )
    raw = raw_column(data, column)
    if not raw.size:
        raise SealaneError(ErrorCode.INPUT_SHAPE, f"Column {column!r} has no rows to fit on.")
    dtype = DType.from_numpy(raw.dtype)
    assert dtype is not None
    read = _read_as(dtype, chain)
    moment = is_moment(data, column)
    flow = Flow(name, read, _read(raw, dtype, read), moment=moment)
    _check_moment(flow, chain, dtype)
    program: list[steps.Step] = []
    flows = (flow,)
    for transform in chain.transforms:
        following: list[Flow] = []
        for current in flows:
            if current.done:
                following.append(current)
                continue
            fitted = transform.fit(current)
            following += _advance(current, fitted)
            program += fitted
        flows = tuple(following)
    fitted_chain = FittedChain(name, column, read, tuple(program))
    flows = tuple(_final(flow) for flow in flows)
    spec = _input_spec(flow, fitted_chain, chain, dtype)
    _check_missing(flows, spec, name)
    return fitted_chain, spec, flows


def _read_as(dtype: DType, chain: Chain) -> Kind:
    if dtype is DType.BYTES:
        return "text"
    whole = dtype in (DType.INT64, DType.BOOL)
    return "integer" if whole and isinstance(chain.transforms[0], Lookup) else "number"


def _read(raw: Array, dtype: DType, read: Kind) -> Array:
    if read == "text":
        return raw
    return _OPS.to_integer(raw) if read == "integer" else _OPS.read(raw, dtype)


def _check_moment(flow: Flow, chain: Chain, dtype: DType) -> None:
    dated = any(isinstance(transform, DateParts) for transform in chain.transforms)
    if flow.moment and not dated:
        raise refuse(flow, "a column of moments without DateParts", "Add DateParts().")
    if dated and dtype is DType.FP32:
        raise refuse(flow, "float32 can not hold seconds since 1970", "Give datetime64 or float64.")


def _advance(flow: Flow, fitted: tuple[steps.Step, ...]) -> list[Flow]:
    """The flows after a transform's steps, in the order in which they were made."""
    made: dict[str, Flow] = {flow.name: flow}
    for step in fitted:
        values = step.apply(_OPS, made[step.source].values)
        described = _describe(step, flow)
        for target, value, after in zip(step.targets, values, described, strict=True):
            made[target] = replace(after, name=target, values=value)
    if any(isinstance(step, steps.DatePart) for step in fitted):
        del made[flow.name]
    return list(made.values())


def _describe(step: steps.Step, flow: Flow) -> tuple[Flow, ...]:
    """What a step's targets are, apart from name and values."""
    match step:
        case steps.Indicate():
            return (flow, replace(flow, done=True, moment=False))
        case steps.IndexText() | steps.IndexInteger():
            return (replace(flow, kind="category", cardinality=steps.FIRST + len(step.keys)),)
        case steps.Bucket():
            return (replace(flow, kind="category", cardinality=len(step.boundaries) + 2),)
        case steps.OneHot():
            return (replace(flow, kind="number", cardinality=None, width=step.depth, done=True),)
        case steps.DatePart(encoding="category"):
            low, high = steps.PART_RANGE[step.part]
            return (replace(flow, kind="category", cardinality=high - low + 2, moment=False),)
        case steps.DatePart():
            cyclic = step.encoding != "number"
            return (replace(flow, kind="number", done=cyclic, moment=False),)
        case _:
            return (flow,)


def _final(flow: Flow) -> Flow:
    if flow.kind in ("text", "integer"):
        raise refuse(flow, f"the chain ends with {flow.kind}", "End with Lookup().")
    return flow


def _input_spec(flow: Flow, fitted: FittedChain, chain: Chain, dtype: DType) -> TensorSpec:
    categorical = any(
        isinstance(step, steps.IndexText | steps.IndexInteger) for step in fitted.steps
    )
    semantic = MOMENT if flow.moment else "categorical" if categorical else "numeric"
    minimum, maximum = _bounds(flow, fitted.steps)
    domain = Domain(
        nullable=_accepts_missing(fitted, chain, dtype),
        minimum=minimum,
        maximum=maximum,
        vocabulary=_vocabulary(fitted.steps),
    )
    return TensorSpec(fitted.column, dtype, ("batch",), semantic, domain)


def _bounds(flow: Flow, program: tuple[steps.Step, ...]) -> tuple[float | None, float | None]:
    """The raw values for which the program is defined."""
    floor = -np.inf
    moved = False
    for step in program:
        if isinstance(step, steps.DatePart):
            return steps.DATE_MINIMUM, steps.DATE_MAXIMUM
        if isinstance(step, steps.Bound):
            floor = floor if step.low is None else step.low
        if isinstance(step, steps.Logarithm):
            if floor > (-1.0 if step.plus_one else 0.0):
                return None, None
            if moved:
                raise refuse(
                    flow, "a logarithm after scaling", "Take it first, or put Clip(low) before it."
                )
            above = float(np.nextafter(np.float32(-1), np.float32(0)))
            return (above if step.plus_one else TINY), None
        moved = moved or isinstance(step, steps.Scale)
    return None, None


def _vocabulary(program: tuple[steps.Step, ...]) -> tuple[str, ...] | None:
    for step in program:
        if isinstance(step, steps.IndexText) and len(step.keys) <= VOCABULARY_LIMIT:
            return step.keys
    return None


def _accepts_missing(fitted: FittedChain, chain: Chain, dtype: DType) -> bool:
    """Whether a missing value in the column leaves no NaN behind, or may."""
    if dtype is DType.BYTES:
        return True
    if not dtype.is_float:
        return False
    if any(isinstance(t, Passthrough) and t.nullable for t in chain.transforms):
        return True
    values = fitted.run(_OPS, _read(np.array([np.nan], dtype.numpy), dtype, fitted.read))
    return not any(np.isnan(value).any() for value in values.values())


def _check_missing(flows: tuple[Flow, ...], spec: TensorSpec, name: str) -> None:
    if spec.domain is None or spec.domain.nullable:
        return
    for flow in flows:
        missing = np.isnan(flow.values)
        if missing.any():
            row = int(np.argmax(missing.reshape(len(missing), -1).any(axis=1)))
            raise SealaneError(
                ErrorCode.INPUT_NULL,
                f"Feature {name!r}: column {spec.name!r} has {int(missing.sum())} missing values, "
                f"the first at row {row}. Add Impute(), or Passthrough(nullable=True) for a model "
                "that takes NaN.",
                {"feature": name, "row": row},
            )
