"""HardSwish under a German locale, where ONNX Runtime alone gives zeros: never a wrong number."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys

import numpy as np
import pytest
from onnx import helper
from python.runtime import bundles, models

from sealane.bundle import Verdict
from sealane.core import DType, Signature, TensorSpec

PROGRAM = """
import json, locale, sys
locale.setlocale(locale.LC_ALL, "")
import onnxruntime
import sealane
path, engine = sys.argv[1:]
found = {"point": locale.localeconv()["decimal_point"]}
options = onnxruntime.SessionOptions()
options.log_severity_level = 4
if engine == "raw":
    raw = onnxruntime.InferenceSession(f"{path}/1/model.onnx", options)
    import numpy
    found["y"] = raw.run(None, {"x": numpy.array([[1, 2, -1, 4]], numpy.float32)})[0][0].tolist()
else:
    try:
        with sealane.open(path, engine=engine) as session:
            found["y"] = session.run({"x": [[1, 2, -1, 4]]})["y"][0].tolist()
    except sealane.SealaneError as error:
        found["code"] = error.code.value
found["after"] = locale.localeconv()["decimal_point"]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def german(tmp_path_factory):
    """A directory with the numeric category of a locale with a decimal comma.

    Magic, count of values and their offsets, then the values (decimal point, thousands separator,
    grouping, the first two again as wide characters, character set). Source: glibc,
    locale/programs/locfile.c.
    """
    folder = tmp_path_factory.mktemp("locale")
    (folder / "de_DE.UTF-8").mkdir()
    content = struct.pack("=8I", 0x20031114, 6, 32, 34, 36, 40, 44, 48)
    content += b",\0.\0\3\3\0\0" + struct.pack("=2I", ord(","), ord(".")) + b"UTF-8\0"
    (folder / "de_DE.UTF-8" / "LC_NUMERIC").write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def hard_swish(tmp_path_factory):
    """A bundle whose graph holds the operator itself."""
    specs = [TensorSpec(name, DType.FP32, ("batch", 4)) for name in "xy"]
    signature = Signature((specs[0],), (specs[1],))
    made = models.model([helper.make_node("HardSwish", ["x"], ["y"])], signature)
    x = np.array([[0.5, -1, 2, 5]], np.float32)
    case = bundles.golden_from(made, signature, "case", {"x": x})
    path = tmp_path_factory.mktemp("bundle") / "hard-swish"
    return bundles.write_onnx(path, made, signature, (case,), verdict=Verdict.WITHIN_ORACLE)


@pytest.mark.parametrize("engine", ["raw", "onnx", "jvm"])
def test_no_wrong_number(engine, german, hard_swish):
    plain = run(engine, hard_swish, {"LC_ALL": "C"})
    assert plain["y"] == pytest.approx([2 / 3, 5 / 3, -1 / 3, 4])
    environment = {"LC_ALL": "", "LC_NUMERIC": "de_DE.UTF-8", "LOCPATH": str(german)}
    found = run(engine, hard_swish, environment)
    assert found["point"] == found["after"] == ","
    if engine == "raw":
        assert found["y"] != plain["y"], "ONNX Runtime has lost the fault: nothing is shown here"
    else:
        assert found.get("y") == plain["y"] or found["code"] == "PARITY_FAILED"
    if engine == "jvm":
        assert found["y"] == plain["y"]


def run(engine, bundle, environment):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(bundle), engine],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
