"""Each V2 call to us and to a real Triton: what differs is written down, with the reason."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from corpus.bases import DTYPES, dtypes_draft
from e2e.server.conftest import GOOD
from e2e.server.running import ROOT, serving
from e2e.server.triton import EndedError, add_model, triton
from e2e.server.v2_calls import ANY, CALLS, SERVING, differences, of_grpc, read_grpc, rest

from sealane.bundle import write_bundle
from sealane.core import DType

PYTHON = ROOT / ".venv-clients/tritonclient/bin/python"
PROGRAM = ROOT / "tests/e2e/server/clients/v2_grpc_calls.py"
PROGRAMS = {"mlp": "onnx.py", "strings": "onnx.py", "dtypes": "identity.py", "lists": "identity.py"}
MAX_ROWS = {"mlp": 4096, "strings": 0, "dtypes": 0, "lists": 0}
ALONE = [each for each in CALLS["rest"] if "alone" in each]
SHARED = {
    "rest": [each for each in CALLS["rest"] if "alone" not in each],
    "grpc": CALLS["grpc"],
}
CASES = [(protocol, each["name"]) for protocol, calls in SHARED.items() for each in calls]
LISTED = [
    (protocol, name, each)
    for protocol, entries in json.loads((SERVING / "triton_differences.json").read_text()).items()
    for entry in entries
    for each in entry["differences"]
    for name in each["cases"]
]


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    """The bundles that both serve, as version 1, for Triton's versions are numbers."""
    folder = tmp_path_factory.mktemp("bundles")
    for name in ("mlp", "strings", "dtypes"):
        shutil.copytree(GOOD / name, folder / name)
    listed = [each for each in DTYPES if each not in (DType.FP16, DType.BF16)]
    write_bundle(folder / "lists", dtypes_draft(tmp_path_factory.mktemp("graph"), "lists", listed))
    for path in folder.glob("*/sealane.json"):
        manifest = json.loads(path.read_text())
        path.write_text(json.dumps({**manifest, "version": "1"}))
    return folder


@pytest.fixture(scope="module")
def ours(bundles):
    with serving(bundles, "--management.on-main-port", "true") as running:
        yield running.address


@pytest.fixture(scope="module")
def answers(bundles, ours, tmp_path_factory):
    """Ours and Triton's to every call, by protocol and name."""
    calls = tmp_path_factory.mktemp("calls") / "grpc.json"
    calls.write_text(json.dumps([of_grpc(each) for each in SHARED["grpc"]]))
    repository = tmp_path_factory.mktemp("triton")
    for name, program in PROGRAMS.items():
        add_model(repository, bundles / name, program, MAX_ROWS[name])
    theirs = of_triton(repository, tmp_path_factory, calls)
    return {
        "rest": (rest(ours, SHARED["rest"]), theirs[0]),
        "grpc": (by_grpc(ours, calls), theirs[1]),
    }


def of_triton(repository, tmp_path_factory, calls, tries=3):
    """Triton's answers. Once in some twenty runs it crashes, and is asked again."""
    try:
        with triton(repository, tmp_path_factory.mktemp("work")) as (http, grpc):
            return rest(http, SHARED["rest"]), by_grpc(grpc, calls)
    except EndedError:
        if tries == 1:
            raise
        return of_triton(repository, tmp_path_factory, calls, tries - 1)


def by_grpc(address, calls):
    done = subprocess.run(
        [PYTHON, PROGRAM, address, calls], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    return {each["name"]: read_grpc(each, told[each["name"]]) for each in SHARED["grpc"]}


@pytest.mark.parametrize(("protocol", "name"), CASES)
def test_an_answer_differs_where_the_list_says_and_nowhere_else(answers, protocol, name):
    ours, theirs = answers[protocol]
    listed = {
        each["at"]: (each["ours"], each["theirs"])
        for *call, each in LISTED
        if call == [protocol, name]
    }
    found = differences(ours[name], theirs[name])
    assert masked(found, listed) == listed


def masked(found, listed):
    """What was found, where the list takes any value without the value."""
    return {
        at: tuple(
            ANY if wanted == ANY else value
            for value, wanted in zip(values, listed.get(at, values), strict=True)
        )
        for at, values in found.items()
    }


def test_the_list_has_each_difference_of_each_call_once():
    listed = [(*call, each["at"]) for *call, each in LISTED]
    assert len(listed) == len(set(listed))
    assert {entry[:2] for entry in listed} <= set(CASES)


@pytest.mark.parametrize("case", ALONE, ids=[each["name"] for each in ALONE])
def test_a_call_that_ends_triton_is_refused(ours, case):
    [answer] = rest(ours, [case]).values()
    assert answer["status"] == case["alone"]["status"]
