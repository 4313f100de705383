"""One offline page on which a person corrects what a tagger found, and takes the result home."""

from ladtl_np.pages.review.building import build_page
from ladtl_np.pages.review.sentences import MEASURES, Measure, ReviewSentence, sentences_of

__all__ = ["MEASURES", "Measure", "ReviewSentence", "build_page", "sentences_of"]
