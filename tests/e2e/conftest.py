"""Tests end to end share a process: what one of them imports first, the others have.

PyTorch comes before TensorFlow: the other way round its first gradient warns of CUDA libraries,
which is an error in these tests.
"""

import torch  # noqa: F401
