"""What a user of ``ovmsclient`` does over gRPC; run as ``golden_case.py`` says."""

import numpy as np
from golden_case import address, expected, model, name, number, rows
from ovmsclient import make_grpc_client
from ovmsclient.tfs_compat.base.errors import InvalidInputError, ModelNotFoundError

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
