"""A campaign against what a run must never lose: killed at random, crowded, flooded, and out of disk.

`python -m tests.campaign -n 200 --seed 0`, or `make campaign`: it ends in a table, and with exit code 1 if a label was
lost or asked for twice, a pick or a weight changed, or a report is missing. A small part of it is in `make test`.
"""
