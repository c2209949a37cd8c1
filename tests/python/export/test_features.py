"""Raw columns, strings and nulls included, in front of a model in every variant."""

from __future__ import annotations

import numpy as np
import pytest

from sealane.bundle import read_bundle
from sealane.core import DType


@pytest.mark.parametrize("name", ["torch:raw-columns", "keras:raw-columns"])
def test_model_takes_raw_columns(name, zoo_bundle):
    with read_bundle(zoo_bundle(name)) as bundle:
        assert [spec.name for spec in bundle.signature.inputs] == ["carrier", "distance", "delay"]
        assert bundle.signature.inputs[0].dtype is DType.BYTES
        assert {variant.id for variant in bundle.manifest.variants} == {"onnx", "savedmodel"}
        seen = [case.inputs["carrier"].tolist() for case in bundle.golden]
        assert {"UA", "AA", "B6", "Ünïted", "", "never seen"} <= {v or "" for c in seen for v in c}
        assert any(np.isnan(case.inputs["delay"]).any() for case in bundle.golden)
        assert {"boundary", "coverage"} <= {case.purpose for case in bundle.golden}
