"""Each ONNX backend test that plain ONNX Runtime passes has the same bits through a session."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import onnxruntime
import pytest
from python.nodes.cases import NEWEST_IR, NEWEST_OPSET
from python.nodes.outcomes import Outcome, run_case

from sealane import jvm
from sealane.core import ErrorCode
from sealane.runtime import open_session

if TYPE_CHECKING:
    from collections.abc import Iterator

SIDES = {
    "python": partial(open_session, replay="off", intra_op_threads=1),
    "jvm": partial(jvm.open_session, replay="off", intra_op_threads=1),
}
PROCESSOR_CASES = 10
"""Cases that plain ONNX Runtime may pass on one kind of processor and just miss on another."""

REFUSALS = (
    ErrorCode.ARTIFACT_UNSUPPORTED,
    ErrorCode.ENGINE_LOAD_FAILED,
    ErrorCode.ARTIFACT_UNSAFE,  # preview domains, refused before any engine sees them
)


@pytest.fixture(scope="module", params=SIDES)
def side(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def outcomes(side, wrapped, summary) -> dict[str, Outcome]:
    found = {
        each.case.name: run_case(each, SIDES[side])
        for each in wrapped
        if each.raw.status != "foreign-types"
    }
    summary.outcomes[side] = found
    return found


@pytest.fixture(scope="module")
def exceptions(side, listed) -> dict[str, str]:
    """Case name → the status it is known to end with on this side."""
    return {
        name: group["status"]
        for group in listed
        if group["side"] == side
        for name in group["cases"]
    }


def report(failures: list[str]) -> str:
    return f"{len(failures)} cases:\n" + "\n".join(failures)


def rows(wrapped, outcomes, *statuses: str) -> Iterator[tuple]:
    for each in wrapped:
        if each.raw.status in statuses:
            yield each, outcomes[each.case.name]


def test_what_plain_onnx_runtime_passes_has_equal_bits(wrapped, outcomes, exceptions):
    failures = [
        f"  {each.case.name}: {found.status} at {found.stage}: {found.message[:200]}"
        for each, found in rows(wrapped, outcomes, "passes")
        if found.status != "equal" and each.case.name not in exceptions
    ]
    assert not failures, report(failures)


def test_the_supported_matrix_has_the_counts(side, wrapped, outcomes, supported):
    passing = [found.status for _, found in rows(wrapped, outcomes, "passes")]
    count = len(passing)
    if supported.found is None:
        kept = supported.recorded["nodes"][side]["passes"]
        assert abs(count - kept) <= PROCESSOR_CASES, f"{count} cases, recorded {kept}: make matrix"
        count = kept
    missed = len(passing) - passing.count("equal")
    supported.check(
        "nodes",
        side,
        {"version": onnxruntime.__version__, "passes": count, "equal": count - missed},
    )


def test_a_listed_exception_still_ends_as_listed(wrapped, outcomes, exceptions):
    passing = {each.case.name for each in wrapped if each.raw.status == "passes"}
    failures = [
        f"  {name}: plain ONNX Runtime does not pass it" for name in exceptions.keys() - passing
    ]
    failures += [
        f"  {name}: listed as {status}, now {outcomes[name].status}"
        for name, status in exceptions.items()
        if name in passing and outcomes[name].status != status
    ]
    assert not failures, report(failures)


def test_every_exception_has_a_reason_and_a_known_side(listed):
    for group in listed:
        assert group["side"] in {"python", "jvm"}
        assert len(group["reason"]) > 20
        assert group["cases"] == sorted(set(group["cases"]))


def test_what_is_off_the_specification_is_so_with_the_same_bits(wrapped, outcomes):
    failures = [
        f"  {each.case.name}: {found.status} {found.message[:200]}"
        for each, found in rows(wrapped, outcomes, "off-specification")
        if found.status != "equal"
    ]
    assert not failures, report(failures)


def test_what_can_not_be_loaded_or_run_ends_in_a_code(wrapped, outcomes):
    failures = [
        f"  {each.case.name}: {found.status} at {found.stage}: {found.message[:200]}"
        for each, found in rows(wrapped, outcomes, "load-fails")
        if found.status not in REFUSALS
    ]
    failures += [
        f"  {each.case.name}: {found.status} at {found.stage}: {found.message[:200]}"
        for each, found in rows(wrapped, outcomes, "run-fails")
        if found.status != ErrorCode.ENGINE_RUN_FAILED
    ]
    assert not failures, report(failures)


def test_a_newer_ir_or_opset_is_unsupported(wrapped, outcomes):
    newer = [
        each.case
        for each in wrapped
        if each.raw.status != "foreign-types"
        and (
            each.case.model.ir_version > NEWEST_IR
            or any(
                o.domain == "" and o.version > NEWEST_OPSET for o in each.case.model.opset_import
            )
        )
    ]
    failures = [
        f"  {case.name}: {outcomes[case.name].status}"
        for case in newer
        if outcomes[case.name].status != ErrorCode.ARTIFACT_UNSUPPORTED
    ]
    assert newer
    assert not failures, report(failures)


def test_the_sets_are_whole(wrapped):
    stock = [each for each in wrapped if not each.case.restamped]
    assert len(stock) == len({each.case.name for each in stock}) > 2000
    assert sum(each.raw.status == "passes" for each in wrapped) > 1600
