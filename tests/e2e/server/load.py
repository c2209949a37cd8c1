"""Clients that keep a server busy."""

from __future__ import annotations

import http.client
import json
import threading
import time

BODY = json.dumps(
    {"inputs": [{"name": "features", "datatype": "FP32", "shape": [1, 4], "data": [1, 2, 3, 4]}]}
)
INFER = "/v2/models/mlp/infer"


class Load:
    """Clients that ask on and on, each on a connection of its own that it keeps."""

    def __init__(self, address, clients=4, path=INFER, body=BODY, check=lambda answer: None):
        self.address = address
        self.path = path
        self.body = body
        self.check = check
        self.statuses: list[int] = []
        self.seconds: list[float] = []
        self.broken: list[str] = []
        self.refused = 0
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self._ask) for _ in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join(60)

    def _ask(self):
        connection = None
        while not self.stop.is_set():
            if connection is None:
                connection = http.client.HTTPConnection(self.address, timeout=30)
                try:
                    connection.connect()
                except OSError:
                    self.refused += 1
                    return
            began = time.perf_counter()
            try:
                connection.request("POST", self.path, self.body)
                response = connection.getresponse()
                text = response.read()
            except (OSError, http.client.HTTPException) as error:
                # A kept connection that is closed between two requests is the client's to reopen.
                closed = isinstance(error, http.client.RemoteDisconnected | BrokenPipeError)
                if not closed and not isinstance(error, ConnectionResetError):
                    self.broken.append(repr(error))
                connection.close()
                connection = None
                continue
            self.seconds.append(time.perf_counter() - began)
            self.statuses.append(response.status)
            if response.status == 200:
                self._look(json.loads(text))
            if response.headers.get("connection") == "close":
                connection.close()
                connection = None
        if connection is not None:
            connection.close()

    def _look(self, answer):
        if not answer.keys() & {"outputs", "predictions"}:
            self.broken.append(json.dumps(answer))
        try:
            self.check(answer)
        except (AssertionError, KeyError) as wrong:
            self.broken.append(str(wrong))
