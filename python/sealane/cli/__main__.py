"""``python -m sealane.cli``."""

from sealane.cli.process import main

if __name__ == "__main__":
    main()
