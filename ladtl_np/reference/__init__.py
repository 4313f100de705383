"""Plain NumPy, one sentence at a time: the readable twin of the kernels."""
