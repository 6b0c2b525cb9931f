"""``python -m operator_lib``: the same as ``operator-lib``."""

from operator_lib.cli.main import main

if __name__ == "__main__":
    main()
