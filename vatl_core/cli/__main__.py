"""``python -m vatl_core.cli``: the same as ``vatl``, for programs that start Python modules, such as ``torchrun``."""

from vatl_core.cli import main

main()
