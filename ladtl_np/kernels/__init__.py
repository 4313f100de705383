"""Numba only: arrays in, arrays out; nothing is allocated for the caller, raised or printed."""
