"""Which sentences of a pool to annotate next, as a model sees them.

`uncertainty` says how unsure it is of each, `states` where its encoder puts it, and `choosing`
takes what is unsure, and if wanted unlike what was taken before.
"""
