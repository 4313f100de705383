"""Eq. (1) to (6) on a model's own sentences: kernels, reference, and enumeration.

`check` puts the parts together. Each part compares one term: `likelihood` and `decoding` a single
CRF, `discrepancy` the MMD, `transfer` both CRFs, `loss` the whole of sec. 4.2, `step` an update.
"""
