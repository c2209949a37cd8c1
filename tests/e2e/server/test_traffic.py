"""Canaries, shadows and versions side by side, over every protocol."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import threading
import time

import grpc
import pytest
from e2e.server import messages, small_bundles
from e2e.server.running import serving

TOKEN = {"Authorization": "Bearer secret"}
ROW = [1.0, 10.0]
KEY = "x-sealane-routing-key"
V2 = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 2], "data": ROW}]}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("traffic")
    for version in "12":
        small_bundles.scaled(folder / "m" / version, version, int(version) + 1)
    flags = {
        "versions": "all",
        "canary.2": "30",
        "canary.9": "10",
        "shadow.to": "1",
        "batching.workers": "1",
    }
    given = [each for name, value in flags.items() for each in (f"--models.m.{name}", value)]
    with serving(folder, *given) as running:
        yield running


def managed(server, path):
    return server.get(path, headers=TOKEN, address=server.management)


def v2(server, key=None, header=None):
    body = {**V2, "parameters": {"routing_key": key}} if key is not None else V2
    answer = server.post("/v2/models/m/infer", body, headers={KEY: header} if header else {})
    assert answer.status == 200, answer.body
    version = answer.json["model_version"]
    assert answer.json["outputs"][0]["data"] == [(int(version) + 1) * x for x in ROW]
    return version


def v1(server, header):
    answer = server.post("/v1/models/m:predict", {"instances": [ROW]}, headers={KEY: header})
    assert answer.status == 200, answer.body
    version = answer.headers["x-sealane-model-version"]
    assert answer.json["predictions"] == [[(int(version) + 1) * x for x in ROW]]
    return version


def torchserve(server, header):
    answer = server.post("/predictions/m", ROW, headers={KEY: header})
    assert answer.status == 200, answer.body
    [first, second] = answer.json
    assert second == 10 * first
    return str(int(first) - 1)


def v2_grpc(channel, header):
    answer = channel.unary_unary(messages.INFER)(
        messages.infer("m", ROW), timeout=20, metadata=[(KEY, header)]
    )
    return messages.fields(answer)[2].decode()


def v2_stream(channel, header):
    [answer] = channel.stream_stream(messages.STREAM)(
        iter([messages.infer("m", ROW)]), timeout=20, metadata=[(KEY, header)]
    )
    return messages.fields(messages.fields(answer)[2])[2].decode()


def serving_grpc(channel, header):
    answer = channel.unary_unary(messages.PREDICT)(
        messages.predict("m", ROW), timeout=20, metadata=[(KEY, header)]
    )
    spec = messages.fields(messages.fields(answer)[2])
    return str(messages.fields(spec[2])[1])


def test_a_key_has_one_version_whatever_the_protocol(server):
    versions = set()
    with grpc.insecure_channel(server.address) as channel:
        for number in range(40):
            key = f"client-{number}"
            found = {
                v2(server, key),
                v2(server, header=key),
                v2(server, key, header="another"),
                v1(server, key),
                torchserve(server, key),
                v2_grpc(channel, key),
                v2_stream(channel, key),
                serving_grpc(channel, key),
            }
            assert len(found) == 1, (key, found)
            versions |= found
    assert versions == {"1", "2"}


def test_without_keys_requests_are_shared_out_by_weight(server):
    # Six standard deviations of 120 of 400: passed by chance once in a thousand million.
    found = [v2(server) for _ in range(400)]
    assert 65 <= found.count("2") <= 175
    assert set(found) == {"1", "2"}


def test_a_large_body_is_routed_by_its_header_too(server):
    row = ROW * 20_000
    body = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, len(row)], "data": row}]}
    for key in ("client-1", "client-2", "client-3", "client-4"):
        answer = server.post("/v2/models/m/infer", body, headers={KEY: key})
        assert answer.json["model_version"] == v2(server, key)


def test_a_key_that_is_no_text_is_refused(server):
    for key in (1, True):
        answer = server.post("/v2/models/m/infer", {**V2, "parameters": {"routing_key": key}})
        assert answer.status == 400
        assert "'routing_key' must be a string" in answer.json["error"]


def test_traffic_tells_shares_versions_and_drift(server):
    for _ in range(20):
        answer = server.post("/v2/models/m/versions/2/infer", V2)
        assert answer.json["model_version"] == "2"
    until = time.monotonic() + 20
    while True:
        [model] = managed(server, "/traffic").json["models"]
        two, one = model["versions"]
        shadow = two["shadow"]
        done = shadow["compared"] + shadow["dropped"]
        if done == two["requests"]["success"] or time.monotonic() > until:
            break
        time.sleep(0.05)
    assert model["name"] == "m"
    assert model["canary"] == [
        {"version": "2", "weight": 30.0, "ready": True},
        {"version": "9", "weight": 10.0, "ready": False},
    ]
    assert [one["version"], one["share"], one["shadow"]] == ["1", 70.0, None]
    assert [two["version"], two["share"], two["engine"]] == ["2", 30.0, "onnx"]
    assert two["requests"]["success"] >= 20
    assert two["rows"] == two["requests"]["success"]
    latency = two["latency_ms"]
    assert 0 < latency["p50"] <= latency["p90"] <= latency["p99"]
    assert [shadow["to"], shadow["fraction"], shadow["ready"]] == ["1", 100.0, True]
    assert [shadow["failed"], shadow["problem"], shadow["last_failure"]] == [0, "", ""]
    assert shadow["compared"] >= 20
    assert shadow["verdicts"] == {
        "bit_exact": 0,
        "within_oracle": 0,
        "within_declared": 0,
        "failed": shadow["compared"],
    }
    [y] = shadow["outputs"]
    assert [y["name"], y["datatype"], y["compared"]] == ["y", "FP32", shadow["compared"]]
    assert [y["max_abs"], y["mean_abs"], y["max_rel"]] == [10, pytest.approx(5.5), 1 / 3]
    assert sum(y["ulps"].values()) == y["elements"] == y["differing"]
    assert managed(server, "/traffic/m").json["versions"][0]["version"] == "2"


def test_prometheus_reads_the_same(server):
    for version in "12":
        server.post(f"/v2/models/m/versions/{version}/infer", V2)
    text = managed(server, "/metrics").body.decode()
    [model] = managed(server, "/traffic").json["models"]
    series = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert series['sealane_canary_weight{model="m",version="2"}'] == "30.0"
    assert series['sealane_canary_weight{model="m",version="9"}'] == "10.0"
    for version in model["versions"]:
        labels = f'model="m",version="{version["version"]}"'
        answered = str(version["requests"]["success"])
        duration = "sealane_request_duration_seconds"
        assert series[f'{duration}_bucket{{{labels},le="+Inf"}}'] == answered
        assert series[f"{duration}_count{{{labels}}}"] == answered
        assert float(series[f"{duration}_sum{{{labels}}}"]) > 0
        below = [
            float(value) for name, value in series.items() if f"{duration}_bucket{{{labels}" in name
        ]
        assert len(below) == 37
        assert below == sorted(below)
    labels = 'model="m",shadow="1",version="2"'
    assert int(float(series[f"sealane_shadow_compared_total{{{labels}}}"])) > 0
    assert series[f"sealane_shadow_dropped_total{{{labels}}}"] == "0.0"
    assert series[f"sealane_shadow_failed_total{{{labels}}}"] == "0.0"
    labels = 'model="m",output="y",shadow="1",version="2"'
    assert series[f"sealane_shadow_drift_max_abs{{{labels}}}"] == "10.0"
    ulps = f"sealane_shadow_drift_ulp_bucket{{{labels}"
    differing = float(series[f"sealane_shadow_drift_differing_total{{{labels}}}"])
    assert series[f'{ulps},le="0.0"}}'] == series[f'{ulps},le="1.0"}}'] == "0"
    assert float(series[f'{ulps},le="+Inf"}}']) == differing > 0


def test_two_versions_side_by_side(server):
    for version in "12":
        server.post(f"/v2/models/m/versions/{version}/infer", V2)
    found = managed(server, "/traffic/m/compare?a=1&b=2").json
    assert [found["name"], found["a"]["version"], found["b"]["version"]] == ["m", "1", "2"]
    ratios = found["b_over_a"]
    assert ratios["p50"] == pytest.approx(
        found["b"]["latency_ms"]["p50"] / found["a"]["latency_ms"]["p50"]
    )
    assert set(ratios) == {"mean", "p50", "p90", "p99"}


def test_what_is_not_there_is_refused(server):
    assert managed(server, "/traffic/n").status == 404
    assert managed(server, "/traffic/m/compare?a=1&b=3").status == 404
    answer = managed(server, "/traffic/m/compare?a=1")
    assert (answer.status, "parameter b is missing" in answer.json["error"]) == (400, True)
    assert server.get("/traffic").status == 404
    assert server.get("/traffic", address=server.management).status == 401


def changed(server, method, body=None, path="/traffic/n", headers=TOKEN):
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    return server.call(method, path, data, headers=headers, address=server.management)


@pytest.fixture(scope="module")
def changing(tmp_path_factory):
    """A server whose model n has 10 percent configured for version 2."""
    folder = tmp_path_factory.mktemp("changing")
    for version in "12":
        small_bundles.scaled(folder / "n" / version, version, int(version) + 1)
    with serving(
        folder, "--models.n.versions", "all", "--models.n.canary.2", "10", "--poll", "200ms"
    ) as running:
        yield running


@pytest.fixture
def at_first(changing):
    assert changed(changing, "DELETE").status == 200
    return changing


def share_of_two(server):
    versions = managed(server, "/traffic/n").json["versions"]
    return {each["version"]: each["share"] for each in versions}["2"]


def point(model, key):
    """Where a key stands among 0 to 100, as the guide says: below the weight is the canary."""
    digest = hashlib.sha256(f"{model}\0{key}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) * 2.0**-53 * 100


@contextlib.contextmanager
def asking(server):
    """Asks for a key's version, many times on one connection."""
    connection = http.client.HTTPConnection(server.address, timeout=30)

    def ask(key):
        connection.request("POST", "/v2/models/n/infer", json.dumps(V2), {KEY: key})
        response = connection.getresponse()
        found = json.loads(response.read())
        assert response.status == 200, found
        version = found["model_version"]
        assert found["outputs"][0]["data"] == [(int(version) + 1) * x for x in ROW]
        return version

    with contextlib.closing(connection):
        yield ask


def test_a_canary_grows_and_goes_back_without_a_restart(at_first):
    loaded = [each["loaded_at"] for each in managed(at_first, "/traffic/n").json["versions"]]
    keys = [f"client-{number}" for number in range(400)]
    with asking(at_first) as ask:
        for weight in (1, 10, 50, 100, 0):
            answer = changed(at_first, "PUT", {"canary": {"2": weight}})
            assert answer.status == 200, answer.body
            assert answer.json["canary"] == [{"version": "2", "weight": weight, "ready": True}]
            shares = {each["version"]: each["share"] for each in answer.json["versions"]}
            assert shares == {"2": weight, "1": 100 - weight}
            for key in keys:
                assert ask(key) == ("2" if point("n", key) < weight else "1"), (weight, key)
    found = managed(at_first, "/traffic/n").json
    assert [each["loaded_at"] for each in found["versions"]] == loaded
    assert 'sealane_canary_weight{model="n",version="2"} 0.0' in (
        managed(at_first, "/metrics").body.decode()
    )
    told = "".join(at_first.told)
    assert "canary weights of model n were set to {2=50.0}" in told


def test_weights_stay_through_loads_until_they_are_deleted(at_first):
    assert changed(at_first, "PUT", {"canary": {"2": 60}}).status == 200
    for call in ("load", "unload", "load"):
        path = f"/v2/repository/models/n/{call}"
        assert at_first.post(path, headers=TOKEN, address=at_first.management).status == 200
    assert share_of_two(at_first) == 60
    # Longer than the directory is left alone for.
    time.sleep(0.5)
    assert share_of_two(at_first) == 60
    assert changed(at_first, "PUT", {"canary": {}}).json["canary"] == []
    assert share_of_two(at_first) == 100
    answer = changed(at_first, "DELETE")
    assert answer.json["canary"] == [{"version": "2", "weight": 10, "ready": True}]
    assert share_of_two(at_first) == 10


def test_no_request_is_lost_while_weights_change(at_first):
    ended = threading.Event()
    counts = {"1": 0, "2": 0}
    problems = []

    def client(number):
        step = 0
        try:
            with asking(at_first) as ask:
                while not ended.is_set():
                    key = f"client-{number}-{step % 50}"
                    version = ask(key)
                    assert point("n", key) >= 25 or version == "2", key
                    assert point("n", key) < 75 or version == "1", key
                    counts[version] += 1
                    step += 1
        except Exception as problem:
            problems.append(problem)

    assert changed(at_first, "PUT", {"canary": {"2": 25}}).status == 200
    clients = [threading.Thread(target=client, args=[number]) for number in range(3)]
    for each in clients:
        each.start()
    for step in range(200):
        weight = 75 if step % 2 else 25
        assert changed(at_first, "PUT", {"canary": {"2": weight}}).status == 200
        if step % 50 == 0:
            path = "/v2/repository/models/n/load"
            assert at_first.post(path, headers=TOKEN, address=at_first.management).status == 200
    ended.set()
    for each in clients:
        each.join()
    assert problems == []
    assert min(counts.values()) > 50, counts


def test_a_default_goes_before_the_weights(at_first):
    put = at_first.call(
        "PUT", "/models/n/1/set-default", headers=TOKEN, address=at_first.management
    )
    assert put.status == 200, put.body
    answer = changed(at_first, "PUT", {"canary": {"2": 90}})
    assert answer.json["canary"][0]["weight"] == 90
    assert share_of_two(at_first) == 0
    for call in ("unload", "load"):
        path = f"/v2/repository/models/n/{call}"
        assert at_first.post(path, headers=TOKEN, address=at_first.management).status == 200
    assert share_of_two(at_first) == 90


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"canary": {"2": 60, "1": 60}}, "0 to 100 each and together"),
        ({"canary": {"2": 101}}, "canary.2 must be a percentage from 0 to 100, received '101'"),
        ({"canary": {"2": "many"}}, "canary.2 must be a percentage"),
        ({"canary": {"2": None}}, "canary.2 must be a percentage"),
        ({"canary": {"2 3": 5}}, "'2 3' is no version"),
        ({"canary": [5]}, "the body must be"),
        ({"canary": {}, "shadow": {"to": "1"}}, "the body must be"),
        (b"", "the body must be"),
        (b"{", "the body is not JSON"),
        (b'{"canary": {"2": 5, "2": 6}}', "'2' is there twice"),
    ],
)
def test_weights_that_the_setting_refuses_are_refused(at_first, body, said):
    answer = changed(at_first, "PUT", body)
    assert answer.status == 400, answer.body
    assert answer.json["error"].startswith("REQUEST_INVALID: ")
    assert said in answer.json["error"]
    assert share_of_two(at_first) == 10


def test_who_may_not_change_weights(at_first):
    body = {"canary": {"2": 50}}
    for method in ("PUT", "DELETE"):
        assert changed(at_first, method, body, headers={}).status == 401
        assert changed(at_first, method, body, path="/traffic/unknown").status == 404
        answer = at_first.call(method, "/traffic/n", json.dumps(body).encode(), headers=TOKEN)
        assert answer.status in (404, 405), "the main port has none of it"
    assert share_of_two(at_first) == 10
