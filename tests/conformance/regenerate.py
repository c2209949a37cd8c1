"""Write everything in this folder that is generated.

``python tests/conformance/regenerate.py`` is deterministic and needs no framework: the
SavedModels are kept as they are, for their bytes depend on TensorFlow's version. With
``--tensorflow`` they are made anew, and so is the operator table. The keys are kept too: ``--keys``
makes them and every signature anew.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent / "python")]


def main() -> None:
    """Parse the command line and write into the folder it names."""
    from corpus.everything import regenerate

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", type=Path, default=HERE, help="folder to write into")
    parser.add_argument("--tensorflow", action="store_true", help="also what TensorFlow makes")
    parser.add_argument("--keys", action="store_true", help="also the keys and certificates")
    arguments = parser.parse_args()
    regenerate(arguments.target, HERE, tensorflow=arguments.tensorflow, new_keys=arguments.keys)


if __name__ == "__main__":
    main()
