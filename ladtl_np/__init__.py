"""Label-aware double transfer learning for named entity recognition, on the CPU."""

__version__ = "0.1.0"
