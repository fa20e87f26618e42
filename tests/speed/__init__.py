"""The benchmark: what a run of this project takes, as a ratio against a peer measured in the same run on the same fleet.

A ratio, because seconds say more about a machine than about a program. Owns what is measured and how it is shown; leaves
out the rehearsal it runs on (`rehearsal.session`). Run as `python -m tests.speed`.
"""
