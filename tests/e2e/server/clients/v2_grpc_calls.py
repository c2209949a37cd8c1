"""Calls of V2 over gRPC as data, by the messages of ``tritonclient``.

``v2_grpc_calls.py HOST:PORT CALLS``: CALLS is a JSON file of a list of calls; the answers are
printed as JSON, by the calls' names.
"""

import json
import sys
import time
from pathlib import Path

import grpc
from google.protobuf import json_format, message_factory
from tritonclient.grpc import service_pb2

SERVICE = service_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"]
COMPRESSIONS = {"gzip": grpc.Compression.Gzip, "deflate": grpc.Compression.Deflate}
SECONDS = 30


def answered(channel, each):
    """Code, whether there is a text with it, and the messages of one call."""
    raw = each["rpc"].startswith("/")
    path = each["rpc"] if raw else f"/inference.GRPCInferenceService/{each['rpc']}"
    options = {
        "timeout": SECONDS,
        "metadata": list(each.get("metadata", {}).items()),
        "compression": COMPRESSIONS.get(each.get("compression")),
    }
    sent = [bytes.fromhex(each.get("hex", ""))] if raw else messages(each)
    found = []
    try:
        if each.get("streams"):
            call = channel.stream_stream(path)(iter(sent), **options)
            found.extend(call)
        else:
            message, call = channel.unary_unary(path).with_call(*sent, **options)
            found.append(message)
    except grpc.RpcError as refused:
        call = refused
    told = [message.hex() if raw else read(each, message) for message in found]
    return {"code": call.code().name, "details": bool(call.details()), "messages": told}


def messages(each):
    kind = message_factory.GetMessageClass(SERVICE.methods_by_name[each["rpc"]].input_type)
    return [json_format.ParseDict(one, kind()).SerializeToString() for one in each["messages"]]


def read(each, message):
    kind = message_factory.GetMessageClass(SERVICE.methods_by_name[each["rpc"]].output_type)
    return json_format.MessageToDict(
        kind.FromString(message),
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=each.get("compare") == "kinds",
    )


def settled(channel, each):
    """The answer, or where the call says what must be in it, the first that has it."""
    deadline = time.monotonic() + SECONDS
    while True:
        answer = answered(channel, each)
        if each.get("until", "") in json.dumps(answer) or time.monotonic() > deadline:
            return answer
        time.sleep(0.05)


address, path = sys.argv[1:]
with grpc.insecure_channel(address) as channel:
    calls = json.loads(Path(path).read_text())
    print(json.dumps({each["name"]: settled(channel, each) for each in calls}))
