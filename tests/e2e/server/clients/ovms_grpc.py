"""What a user of ``ovmsclient`` does over gRPC; run as ``triton_http.py`` is."""

import json
import sys
from pathlib import Path

import numpy as np
from ovmsclient import make_grpc_client
from ovmsclient.tfs_compat.base.errors import InvalidInputError, ModelNotFoundError

address, path = sys.argv[1:]
case = json.loads(Path(path).read_text())
model = case["model"]
number = int(case["version"].partition(".")[0])
[(name, rows)] = case["inputs"].items()
[(output, expected)] = case["outputs"].items()
rows = np.array(rows, np.float32)
expected = np.array(expected, np.float32)

client = make_grpc_client(address)
for version in (0, number):
    assert client.get_model_status(model, version) == {
        number: {"state": "AVAILABLE", "error_code": 0, "error_message": ""}
    }
    np.testing.assert_array_equal(client.predict({name: rows}, model, version), expected)
np.testing.assert_array_equal(client.predict({name: rows.tolist()}, model), expected)
metadata = client.get_model_metadata(model)
assert metadata["model_version"] == number
assert metadata["inputs"] == {name: {"shape": [-1, rows.shape[1]], "dtype": "DT_FLOAT"}}
for call, kind in (
    (lambda: client.predict({name: rows[:, :-1]}, model), InvalidInputError),
    (lambda: client.predict({"absent": rows}, model), InvalidInputError),
    (lambda: client.predict({name: rows}, "absent"), ModelNotFoundError),
    (lambda: client.predict({name: rows}, model, number + 7), ModelNotFoundError),
    (lambda: client.get_model_status("absent"), ModelNotFoundError),
):
    try:
        call()
    except kind:
        continue
    raise AssertionError(f"not refused with {kind}")
print("done")
