"""Validate, allocate, call kernels: one forward and backward pair per layer."""
