"""The synthetic demo corpus: four made-up specialties, written by a seeded generator.

Nothing in it was taken from a medical record. Sizes follow Table 1 of the paper and entity types
its appendix A.3; `docs/demo-corpus.md` tells how it is made and how hard it is.
"""

from ladtl_np.corpus.demo.generator import DEFAULT_SEED, DEMO, SIZES, SPLITS, generate
from ladtl_np.corpus.demo.lexicon import ENTITY_TYPES, SPECIALTIES
from ladtl_np.corpus.demo.writing import demo_files

__all__ = [
    "DEFAULT_SEED",
    "DEMO",
    "ENTITY_TYPES",
    "SIZES",
    "SPECIALTIES",
    "SPLITS",
    "demo_files",
    "generate",
]
