"""What a user of ``perf_analyzer`` does; run as ``golden_case.py`` says.

It sends the golden case again and again and, where it can, compares each answer.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from golden_case import address, expected, model, name, output, rows

PROGRAM = Path(sys.prefix) / "bin/perf_analyzer"
[LIBRARIES] = Path(sys.prefix).glob("lib/python3.*/site-packages/nvidia_pytriton.libs")
THROUGHPUT = re.compile(r"Throughput: ([0-9.]+) infer/sec")


def libraries(folder):
    """What the program's wheel lacks, under the names that it asks for."""
    for wanted, pattern in (("libb64.so.0d", "libb64-*"), ("libcudart.so.12", "libcudart-*")):
        [found] = LIBRARIES.glob(pattern)
        (folder / wanted).symlink_to(found)
    return os.environ | {"LD_LIBRARY_PATH": f"{folder}:{LIBRARIES}"}


def tensor(row):
    return {"content": row.tolist(), "shape": list(row.shape)}


def measure(case, *flags, files=None):
    """Files of the case are named relative to the folder that the program runs in."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for path, text in (files or {}).items():
            (folder / path).write_text(text)
        data = folder / "case.json"
        data.write_text(json.dumps(case))
        command = [PROGRAM, "-m", model, "-u", address, "--input-data", data]
        command += ["--measurement-mode=count_windows", "--measurement-request-count=30"]
        command += ["--stability-percentage=999", "--percentile=99"]
        done = subprocess.run(
            [*command, *flags],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=libraries(folder),
            cwd=folder,
        )
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    found = THROUGHPUT.search(told)
    assert found, told
    assert float(found.group(1)) > 0, told


asked = {"data": [{name: tensor(row)} for row in rows]}
compared = asked | {"validation_data": [{output: tensor(row)} for row in expected]}
for protocol in ("http", "grpc"):
    measure(compared, "-i", protocol, "--concurrency-range=2")
    measure(compared, "-i", protocol, "-b", "4")
measure(asked, "-i", "grpc", "--async", "--streaming", "--concurrency-range=2")
# Without a batch size it sends no values by this protocol.
measure(asked, "-i", "grpc", "--service-kind=tfserving", "-b", "2", "--concurrency-range=2")
# By this protocol it sends whole files, as the field ``data`` of a form.
bodies = {f"{index}.json": json.dumps(row.tolist()) for index, row in enumerate(rows)}
sent = {"data": [{"TORCHSERVE_INPUT": [path]} for path in bodies]}
measure(sent, "-i", "http", "--service-kind=torchserve", "-b", "1", files=bodies)
print("done")
