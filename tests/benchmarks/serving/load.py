"""The load that all contestants get: h2load of nghttp2, one thread, so many connections."""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from server import Failed

if TYPE_CHECKING:
    from pathlib import Path

    from server import Server

CALL = "/inference.GRPCInferenceService/ModelInfer"
DATA = re.compile(r"traffic: .*\((\d+)\) data")


@dataclass(frozen=True)
class Request:
    """What is asked, again and again.

    Attributes:
        body: The file that is sent.
        grpc: Whether over gRPC, and not over REST.
        answer: Bytes of the right answer's body.
    """

    body: Path
    grpc: bool
    answer: int


@dataclass(frozen=True)
class Sample:
    """One turn.

    Attributes:
        rate: Requests per second.
        p50: Milliseconds.
        p99: Milliseconds.
        cpu: Seconds of the server's CPU for 1000 requests.
    """

    rate: float
    p50: float
    p99: float
    cpu: float


def require() -> None:
    """Say what is missing.

    Raises:
        SystemExit: There is no h2load.
    """
    if shutil.which("h2load") is None:
        raise SystemExit("h2load is not there: apt-get install nghttp2-client")


def measure(server: Server, request: Request, seconds: int, connections: int = 4) -> Sample:
    """Load a server, one request at a time on each connection.

    Raises:
        Failed: An answer was not a success.
    """
    log = request.body.with_suffix(".log")
    log.unlink(missing_ok=True)
    before = server.cpu_seconds()
    done = subprocess.run(
        [*_command(server, request), f"-c{connections}", f"-D{seconds}", f"--log-file={log}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + 60,
    )
    cpu = server.cpu_seconds() - before
    if done.returncode != 0:
        raise Failed(done.stdout + done.stderr)
    lines = [line.split("\t") for line in log.read_text().splitlines()]
    # A status line without a reason, as TorchServe has it, is 0 there.
    bad = [status for _, status, _ in lines if status not in ("200", "0")]
    if bad or not lines:
        raise Failed(f"{len(bad)} of {len(lines)} answers were no success, one {bad[:1]}")
    _require_bytes(done.stdout, len(lines), request.answer, connections)
    times = statistics.quantiles((int(micros) / 1000 for _, _, micros in lines), n=100)
    return Sample(len(lines) / seconds, times[49], times[98], 1000 * cpu / len(lines))


def warm_up(server: Server, request: Request, connections: int = 4) -> None:
    """Load a server for 4 seconds, until that saves it no 5 % of CPU; six times at most.

    Raises:
        Failed: An answer was not a success.
    """
    least = float("inf")
    for _ in range(6):
        cpu = measure(server, request, 4, connections).cpu
        if cpu > 0.95 * least:
            return
        least = cpu


def _command(server: Server, request: Request) -> list[str]:
    common = ["h2load", "-t1", "-m1", f"-d{request.body}"]
    if not request.grpc:
        url = f"http://127.0.0.1:{server.launch.http}{server.launch.path}"
        return [*common, "--h1", "-Hcontent-type: application/json", url]
    url = f"http://127.0.0.1:{server.launch.grpc}{CALL}"
    return [*common, "-Hcontent-type: application/grpc", "-Hte: trailers", url]


def _require_bytes(told: str, count: int, size: int, open_at_end: int) -> None:
    """A failure has other bytes than an answer; over gRPC it has status 200 too."""
    found = DATA.search(told)
    received = int(found.group(1)) if found else 0
    if not count * size <= received <= (count + open_at_end) * size:
        raise Failed(f"{received} bytes for {count} answers of {size}")
