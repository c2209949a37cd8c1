"""The calls of ``tests/conformance/serving``, made, and what two answers of one differ in."""

from __future__ import annotations

import base64
import gzip
import json
import struct
import time
import zlib

import numpy as np
from e2e.server.running import ROOT, call

SERVING = ROOT / "tests/conformance/serving"
CALLS = json.loads((SERVING / "v2_calls.json").read_text())
LENGTH = "inference-header-content-length"
HEADERS = ("content-type", "content-encoding", "accept-encoding", "allow", "retry-after")
KINDS = {
    "BOOL": ((bool,), np.bool_),
    "BYTES": ((str,), None),
    "FP32": ((float, int), np.float32),
    "FP64": ((float, int), np.float64),
    **{
        f"{sign}INT{width}": ((int,), np.dtype(f"{sign}int{width}".lower()))
        for sign in ("", "U")
        for width in (8, 16, 32, 64)
    },
}
NOTHING = (0, "", [], {}, "FORMAT_NONE")
ABSENT = "(absent)"
ANY = "(any)"
SETTLES_IN = 30


def changed(good, case):
    """A good request with a case's changes: members of its inputs, and its own."""
    inputs = []
    for each in good["inputs"]:
        change = case.get("change", {}).get(each["name"], {})
        inputs.append(without_nulls({**each, **change}))
    return without_nulls({**good, "inputs": inputs, **case.get("more", {})})


def without_nulls(members):
    return {name: value for name, value in members.items() if value is not None}


def of_rest(case):
    """Method, path, body and headers of a call over HTTP."""
    raw = bytes.fromhex(case.get("binary", "")) + bytes(case.get("zeros", 0))
    path = case.get("path")
    body = None
    if "text" in case:
        body = case["text"].encode()
    elif "json" in case:
        body = json.dumps(case["json"]).encode()
    elif "of" in case:
        good = dict(CALLS["good"][case["of"]])
        raw = raw or bytes.fromhex(good.get("binary", ""))
        good.pop("binary", None)
        body = json.dumps(changed(good, case)).encode()
        path = path or f"/v2/models/{case['of']}/infer"
    headers = dict(case.get("headers", {}))
    if raw:
        headers.setdefault("Inference-Header-Content-Length", str(len(body or b"")))
        body = (body or b"") + raw
    if "encoding" in case:
        headers["Content-Encoding"] = case["encoding"]
        body = gzip.compress(body) if case["encoding"] == "gzip" else zlib.compress(body)
    method = case.get("method") or ("GET" if body is None else "POST")
    return method, path, body, headers


def rest(address, calls):
    """The answers of a server to calls over HTTP, in their order, by name."""
    return {case["name"]: settled(address, case) for case in calls}


def settled(address, case):
    """The answer, or where the call says what must be in it, the first that has it."""
    deadline = time.monotonic() + SETTLES_IN
    while True:
        answer = call(address, *of_rest(case))
        if case.get("until", "").encode() in answer.body or time.monotonic() > deadline:
            return read_rest(case, answer)
        time.sleep(0.05)


def read_rest(case, answer):
    """What is compared of an answer over HTTP."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    body = decoded(answer.body, headers.get("content-encoding", "identity"))
    kept = {name: value for name, value in headers.items() if name in HEADERS}
    read = {"status": answer.status, "headers": kept}
    raw = b""
    if LENGTH in headers:
        length = int(headers[LENGTH])
        kept[LENGTH] = "(the length of the JSON)"
        body, raw = body[:length], body[length:]
    try:
        read["body"] = told = canonical(case, json.loads(body))
    except ValueError:
        return {**read, "body": body.decode(errors="replace")}
    if is_inference(told):
        told["outputs"] = by_name(each_rest(told["outputs"], raw))
    return read


def is_inference(message):
    return isinstance(message, dict) and {"model_name", "outputs"} <= message.keys()


def decoded(body, encoding):
    if encoding == "gzip":
        return gzip.decompress(body)
    return zlib.decompress(body) if encoding == "deflate" else body


def each_rest(outputs, raw):
    """Outputs with their bits, whether they came as bytes or in JSON."""
    at = 0
    for each in outputs:
        kept = {name: value for name, value in each.items() if name not in ("data", "parameters")}
        size = each.get("parameters", {}).get("binary_data_size")
        if size is None:
            yield {**kept, "form": "JSON", "bits": bits(each["datatype"], each["data"])}
        else:
            yield {**kept, "form": "binary", "bits": raw[at : at + size].hex()}
            at += size
    assert at == len(raw), "bytes follow those of the last output"


def bits(datatype, values):
    """Values as the binary form has them; as they are where they are not of the datatype's kind."""
    types, dtype = KINDS.get(datatype, ((), None))
    if not all(type(each) in types for each in values):
        return values
    if datatype == "BYTES":
        texts = [each.encode() for each in values]
        return b"".join(struct.pack("<I", len(each)) + each for each in texts).hex()
    return np.array(values, dtype).tobytes().hex()


def by_name(outputs):
    """Outputs in no order: Triton's is another each time."""
    named = [(each["name"], each) for each in outputs]
    assert len(dict(named)) == len(named), "an output is there twice"
    return dict(named)


def canonical(case, answer):
    """JSON without what may differ, as the README of the calls says."""
    if case.get("compare") == "kinds":
        return kinds(answer)
    if case.get("compare") == "filled":
        return filled(answer)
    if isinstance(answer, dict):
        words = {name: "(words)" for name in ("error", "error_message") if answer.get(name)}
        return {**answer, **words}
    return answer


def filled(value):
    """A value without members that are false, zero or empty, which say what their absence says."""
    if isinstance(value, dict):
        members = {name: filled(each) for name, each in value.items()}
        return {name: each for name, each in members.items() if each not in NOTHING}
    return [filled(each) for each in value] if isinstance(value, list) else value


def kinds(value):
    """A value's members and their types alone; of a list those of its first element."""
    if isinstance(value, dict):
        return {name: kinds(each) for name, each in value.items()}
    if isinstance(value, list):
        return [kinds(each) for each in value[:1]]
    return type(value).__name__


def of_grpc(case):
    """A call over gRPC as the program ``clients/v2_grpc_calls.py`` takes it."""
    made = {key: value for key, value in case.items() if key not in ("of", "change", "more")}
    made["streams"] = "stream" in made
    asked = made.pop("stream", [case])
    made["messages"] = [
        changed(CALLS["messages"][each["of"]], each) if "of" in each else each.get("message", {})
        for each in asked
    ]
    return made


def read_grpc(case, answer):
    """What is compared of an answer over gRPC; those of a stream come in any order."""
    told = [canonical(case, each) for each in answer["messages"]]
    for each in told:
        response = each.get("infer_response", each) if isinstance(each, dict) else each
        if is_inference(response):
            raw = response.pop("raw_output_contents", [])
            response["outputs"] = by_name(each_grpc(response["outputs"], raw))
    if "stream" in case:
        told.sort(key=json.dumps)
    return {**answer, "messages": told}


def each_grpc(outputs, raw):
    """Outputs with their bits, whether they came raw or in lists by type."""
    assert len(raw) in (0, len(outputs)), "not one entry for each output"
    for index, each in enumerate(outputs):
        kept = {name: value for name, value in each.items() if name != "contents"}
        if raw:
            yield {**kept, "form": "raw", "bits": base64.b64decode(raw[index]).hex()}
        else:
            [(_, values)] = each["contents"].items()
            yield {**kept, "form": "typed", "bits": bits(each["datatype"], listed(each, values))}


def listed(output, values):
    """Values of protobuf's JSON: 64 bits are text there, and bytes base64."""
    if output["datatype"] == "BYTES":
        return [base64.b64decode(each).decode() for each in values]
    return [int(each) for each in values] if output["datatype"].endswith("INT64") else values


def differences(ours, theirs):
    """Where two answers differ, place to both values; of an answer and a refusal, that alone."""
    for place in ("status", "code"):
        one, other = ours.get(place), theirs.get(place)
        if is_refusal(one) != is_refusal(other):
            return {place: (one, other)}
    return different(ours, theirs, "")


def is_refusal(result):
    return result >= 400 if isinstance(result, int) else result not in (None, "OK")


def different(ours, theirs, at):
    if isinstance(ours, dict) and isinstance(theirs, dict):
        found = {}
        for name in sorted({*ours, *theirs}):
            place = f"{at}.{name}" if at else name
            found.update(different(ours.get(name, ABSENT), theirs.get(name, ABSENT), place))
        return found
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        found = {}
        for index, pair in enumerate(zip(ours, theirs, strict=True)):
            found.update(different(*pair, f"{at}[{index}]"))
        return found
    same = type(ours) is type(theirs) and ours == theirs
    return {} if same else {at: (ours, theirs)}
