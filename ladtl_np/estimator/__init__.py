"""``LaDTLTagger``: the whole of training and tagging as one object, in scikit-learn's manner."""

from ladtl_np.estimator.tagger import LaDTLTagger

__all__ = ["LaDTLTagger"]
