"""PyTorch and TensorFlow live in one process, whichever comes first."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sealane.core import ErrorCode, SealaneError
from sealane.core.frameworks import load_module

TENSORFLOW_FIRST = """
import tensorflow
from sealane.core.frameworks import load_module
torch = load_module("torch", "torch")
torch.optim.AdamW(torch.nn.Linear(2, 1).parameters())
"""
TRITON_AFTERWARDS = """
from sealane.core.frameworks import load_module
load_module("tensorflow", "tensorflow")
import triton._C.libtriton
"""


@pytest.mark.parametrize("program", [TENSORFLOW_FIRST, TRITON_AFTERWARDS])
def test_triton_and_tensorflow_do_not_end_the_process(program: str) -> None:
    """Each carries an LLVM; loaded in the wrong order the process aborts."""
    done = subprocess.run(
        [sys.executable, "-c", program + "print('on')"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "on\n"


def test_a_missing_framework_names_its_extra() -> None:
    """The message tells what to install."""
    with pytest.raises(SealaneError, match=r"pip install 'sealane\[torch\]'") as raised:
        load_module("no_such_framework", "torch")
    assert raised.value.code is ErrorCode.ENGINE_UNAVAILABLE
