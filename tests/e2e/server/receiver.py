"""A receiver of OpenTelemetry's traces, which reads them with OpenTelemetry's own messages."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


class Receiver:
    """What was received; ``spans`` are pairs of a resource's attributes and a span."""

    def __init__(self):
        self.spans = []
        self.headers = []
        self.problems = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.take(self.path, dict(self.headers), body)
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(200)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)
        self.endpoint = f"http://127.0.0.1:{self._http.server_port}/v1/traces"

    def take(self, path, headers, body):
        if (path, headers.get("Content-Type")) != ("/v1/traces", "application/x-protobuf"):
            self.problems.append((path, headers))
        self.headers.append({name.lower(): value for name, value in headers.items()})
        message = ExportTraceServiceRequest.FromString(body)
        for resource in message.resource_spans:
            about = attributes(resource.resource)
            for scope in resource.scope_spans:
                self.spans += [(about, span) for span in scope.spans]

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(20)

    def of(self, trace: str, count: int):
        """The spans of one trace by name, as soon as there are so many."""
        until = time.monotonic() + 30
        while True:
            found = [span for _, span in list(self.spans) if span.trace_id.hex() == trace]
            if len(found) >= count:
                assert len(found) == count, [span.name for span in found]
                return {span.name: span for span in found}
            assert time.monotonic() < until, [span.name for span in found]
            time.sleep(0.05)


def attributes(of):
    """The attributes of a resource or a span, as Python has them."""
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in of.attributes}
