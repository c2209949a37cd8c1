"""What a user of ``ovmsclient`` does over REST; run as ``golden_case.py`` says."""

import numpy as np
from golden_case import address, expected, model, name, number, rows
from ovmsclient import make_http_client
from ovmsclient.tfs_compat.base.errors import InvalidInputError, ModelNotFoundError

client = make_http_client(address)
for version in (0, number):
    assert client.get_model_status(model, version) == {
        number: {"state": "AVAILABLE", "error_code": 0, "error_message": ""}
    }
    answer = client.predict({name: rows}, model, version)
    np.testing.assert_array_equal(answer.astype(np.float32), expected)
metadata = client.get_model_metadata(model)["metadata"]["signature_def"]["signature_def"]
told = metadata["serving_default"]["inputs"][name]
assert told["dtype"] == "DT_FLOAT"
assert [each["size"] for each in told["tensor_shape"]["dim"]] == ["-1", str(rows.shape[1])]
for call, kind in (
    (lambda: client.predict({name: rows[:, :-1]}, model), InvalidInputError),
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
