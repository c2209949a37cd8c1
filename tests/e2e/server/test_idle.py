"""Connections without a request are closed in time, and those with one are not."""

from __future__ import annotations

import contextlib
import http.client
import socket
import time

import pytest
from e2e.server import load
from e2e.server.running import serving

BODY = load.BODY.encode()
HEAD = (
    "POST /v2/models/mlp/infer HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\r\n"
    f"Content-Length: {len(BODY)}\r\n\r\n"
)


@pytest.fixture(scope="module")
def server(only_mlp):
    with serving(only_mlp, "--connection.idle-timeout", "1s") as running:
        yield running


@contextlib.contextmanager
def kept(address):
    """A connection on which a request was answered, and which the server keeps."""
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port)), timeout=15) as connection:
        connection.sendall(HEAD.encode() + BODY)
        assert answered(connection) == 200
        yield connection


def answered(connection):
    """The status of an answer, which is read to its end."""
    with http.client.HTTPResponse(connection) as response:
        response.begin()
        response.read()
        return response.status


def test_an_idle_connection_is_closed_in_time(server):
    with kept(server.address) as idle:
        began = time.monotonic()
        assert idle.recv(1) == b""
        assert 0.5 <= time.monotonic() - began < 5
    with kept(server.management) as idle:
        assert idle.recv(1) == b"", "the management port does the same"


def test_a_request_that_takes_longer_is_not_cut(server):
    with kept(server.address) as slow:
        slow.sendall(HEAD.encode() + BODY[:10])
        # Three times as long as an idle connection is kept: nothing passes meanwhile.
        time.sleep(3)
        slow.sendall(BODY[10:])
        assert answered(slow) == 200


def test_zero_is_never(only_mlp):
    with (
        serving(only_mlp, "--connection.idle-timeout", "0s") as server,
        kept(server.address) as idle,
    ):
        # Longer than the default.
        idle.settimeout(16.5)
        with pytest.raises(TimeoutError):
            idle.recv(1)
        idle.settimeout(15)
        idle.sendall(HEAD.encode() + BODY)
        assert answered(idle) == 200
