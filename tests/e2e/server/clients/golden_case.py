"""The golden case that a program of this folder is given, of a model of one input and one output.

Every program is run with its client's own Python: ``PROGRAM.py HOST:PORT CASE``, where CASE is a
JSON file of the case: ``{"model", "version", "inputs", "outputs"}`` with values by name.
"""

import json
import sys
from pathlib import Path

import numpy as np

address, path = sys.argv[1:]
case = json.loads(Path(path).read_text())
model, version = case["model"], case["version"]
number = int(version.partition(".")[0])
[(name, _rows)] = case["inputs"].items()
[(output, _expected)] = case["outputs"].items()
rows = np.array(_rows, np.float32)
expected = np.array(_expected, np.float32)
