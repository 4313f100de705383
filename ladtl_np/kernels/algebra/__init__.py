"""Products and vector code, which the other kernels are made of."""
