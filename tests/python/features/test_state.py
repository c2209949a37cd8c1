"""The JSON state: a lossless round trip, and no way to a wrong number from a damaged one."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sealane.core import ErrorCode, SealaneError
from sealane.features import (
    Bucketize,
    Clip,
    Column,
    DateParts,
    Features,
    FittedFeatures,
    Impute,
    Log1p,
    Lookup,
    Normalize,
    OneHot,
)

TABLE = {
    "s": ["é", "b", None],
    "n": [1, 2, 2**62],
    "x": [0.1, float("nan"), 1e-17],
    "t": np.array(["2020-02-29T01:02:03", "NaT", "1969-01-01"], "datetime64[s]"),
}
FITTED = Features(
    {
        "s": Lookup(),
        "n": Lookup(),
        "x": Impute("mean", indicator=True) | Clip(0) | Log1p() | Normalize(),
        "xb": Column("x") | Bucketize(quantiles=3) | OneHot(),
        "t": DateParts("month", "hour"),
        "w": Column("t") | DateParts("minute", encode="cyclic"),
    }
).fit(TABLE)


def test_round_trip():
    text = FITTED.to_json()
    again = FittedFeatures.from_json(text)
    assert again == FITTED
    assert again.to_json() == text
    assert FittedFeatures.from_json(text.encode()) == FITTED
    for name, array in FITTED.transform(TABLE).items():
        np.testing.assert_array_equal(again.transform(TABLE)[name], array)


def _leaves(value, path=()):
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*path, index))


def _replaced(state, path, value):
    state = json.loads(state)
    if not path:
        return json.dumps(value)
    inner = state
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return json.dumps(state)


@pytest.mark.parametrize("value", [None, True, -1, 2**70, 1e999, "zz", [], {}, [{}], ["", ""]])
def test_a_damaged_state_is_refused_or_still_a_program(value):
    """Whatever one value is replaced by, reading gives the coded error or a usable object."""
    codes = []
    for path in _leaves(json.loads(FITTED.to_json())):
        text = _replaced(FITTED.to_json(), path, value)
        try:
            fitted = FittedFeatures.from_json(text)
        except SealaneError as error:
            codes.append(error.code)
        else:
            assert FittedFeatures.from_json(fitted.to_json()) == fitted
    assert set(codes) == {ErrorCode.ARTIFACT_INVALID}
    assert len(codes) > 50


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "other"}', "[" * 100_000, b"\xff"])
def test_no_state_is_refused(text):
    with pytest.raises(SealaneError) as caught:
        FittedFeatures.from_json(text)
    assert caught.value.code is ErrorCode.ARTIFACT_INVALID


def test_fitted_features_are_immutable_and_hashable():
    with pytest.raises(AttributeError):
        FITTED.groups = ()
    assert hash(FITTED.groups) == hash(FittedFeatures.from_json(FITTED.to_json()).groups)
