"""Who sends the headers of a request too slowly holds no connection, and slows nobody."""

from __future__ import annotations

import datetime
import http.client
import multiprocessing
import socket
import ssl
import threading
import time
from concurrent.futures import ProcessPoolExecutor

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from e2e.server.load import BODY
from e2e.server.running import serving

HEAD = b"POST /v2/models/mlp/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"


@pytest.fixture(scope="module")
def server(only_mlp):
    with serving(only_mlp, "--request.header-timeout", "1s") as running:
        yield running


def connected(address, count=1):
    host, _, port = address.partition(":")
    return [socket.create_connection((host, int(port)), timeout=30) for _ in range(count)]


def drip(sockets, seconds, every=0.2):
    """Sends a byte now and then on each; the seconds that each was open for, of those closed."""
    began = time.monotonic()
    closed = {}
    for each in sockets:
        each.setblocking(False)
    step = 0
    while time.monotonic() < began + seconds and len(closed) < len(sockets):
        for each in sockets:
            if each in closed:
                continue
            try:
                each.send(HEAD[step % 60 : step % 60 + 1])
                gone = each.recv(1) == b""
            except (BlockingIOError, ssl.SSLWantReadError):
                gone = False
            except OSError:
                gone = True
            if gone:
                closed[each] = time.monotonic() - began
        step += 1
        time.sleep(every)
    return list(closed.values())


def asked(address, seconds):
    """Seconds that each of the requests of one client took."""
    took = []
    connection = http.client.HTTPConnection(address, timeout=30)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.perf_counter()
        connection.request("POST", "/v2/models/mlp/infer", BODY)
        response = connection.getresponse()
        response.read()
        assert response.status == 200
        took.append(time.perf_counter() - began)
        time.sleep(0.002)
    connection.close()
    return sorted(took)


def test_slow_senders_of_headers_are_closed_in_time(server):
    sockets = connected(server.address, 50)
    result = []
    dripping = threading.Thread(target=lambda: result.extend(drip(sockets, 12)))
    dripping.start()
    assert asked(server.address, 1.5), "others are answered meanwhile"
    dripping.join()
    for each in sockets:
        each.close()
    assert len(result) == 50, f"{len(result)} of 50 were closed"
    assert min(result) >= 0.8
    assert max(result) < 8


def status(connection, request):
    """Sends the rest of a request; the status of the answer, which is read to its end."""
    connection.sendall(request)
    with http.client.HTTPResponse(connection) as response:
        response.begin()
        response.read()
        return response.status


def test_only_headers_are_in_a_hurry(server):
    with connected(server.address)[0] as slow:
        slow.sendall(HEAD)
        for byte in b'{"a": 1}':
            time.sleep(0.2)
            slow.sendall(bytes([byte]))
        assert status(slow, b" ") == 400, "a body may take its time"
        time.sleep(1.3)
        assert status(slow, HEAD + b'{"a": 1} ') == 400, "a kept connection may rest"
        closed = drip([slow], 8)
        assert closed, "the next request's headers are in a hurry too"
        assert 0.8 <= closed[0] < 5


def test_connections_in_use_stay(server):
    """Of HTTP/2 whatever passes between requests, of HTTP/1.1 whatever the answers are."""
    states = []
    with grpc.insecure_channel(server.address) as channel, connected(server.address)[0] as kept:
        channel.subscribe(states.append, try_to_connect=True)
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        assert check(b"", timeout=20)
        until = time.monotonic() + 2.5
        while time.monotonic() < until:
            assert status(kept, b"GET /no/such/path HTTP/1.1\r\nHost: x\r\n\r\n") == 404
            time.sleep(0.3)
        assert check(b"", timeout=20)
        assert states[-1] == grpc.ChannelConnectivity.READY
        assert states.count(grpc.ChannelConnectivity.READY) == 1


def self_signed(folder):
    """PEM files of a certificate for localhost and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(built.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return str(folder / "certificate.pem"), str(folder / "key.pem")


def test_slow_headers_within_tls(only_mlp, tmp_path):
    certificate, key = self_signed(tmp_path)
    flags = ("--tls.certificate", certificate, "--tls.key", key)
    with serving(only_mlp, "--request.header-timeout", "1s", *flags) as server:
        context = ssl.create_default_context(cafile=certificate)
        host, _, port = server.address.partition(":")
        with (
            socket.create_connection((host, int(port)), timeout=30) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as slow,
        ):
            [open_for] = drip([slow], 8)
            assert 0.8 <= open_for < 5
        with (
            socket.create_connection((host, int(port)), timeout=30) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as quick,
        ):
            time.sleep(1.5)
            assert status(quick, HEAD + b'{"a": 1} ') == 400


def dripped(address, count, seconds):
    """Slow senders in a process of their own, so that they take nothing of the client's time."""
    sockets = connected(address, count)
    try:
        return drip(sockets, seconds, every=1)
    finally:
        for each in sockets:
            each.close()


@pytest.mark.soak
def test_many_slow_senders_slow_nobody(only_mlp):
    """Scenario S7: 500 sockets that send a byte a second each."""
    spawn = multiprocessing.get_context("spawn")
    with (
        serving(only_mlp, "--request.header-timeout", "10s") as server,
        ProcessPoolExecutor(1, spawn) as senders,
    ):
        asked(server.address, 10)
        alone = asked(server.address, 8)
        sending = senders.submit(dripped, server.address, 500, 30)
        time.sleep(1)
        among = asked(server.address, 8)
        closed = sending.result()
    p99, base = (times[int(len(times) * 0.99)] for times in (among, alone))
    print(f"p99 {1000 * base:.2f} ms alone, {1000 * p99:.2f} ms among 500 slow senders")
    assert len(closed) == 500
    assert 9 < min(closed) <= max(closed) < 15
    assert p99 < 1.5 * base
