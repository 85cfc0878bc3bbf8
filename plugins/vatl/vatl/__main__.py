"""``python -m vatl``: the same as ``vatl``, where the folder of commands is not on the PATH."""

from vatl_core.cli import main

main()
