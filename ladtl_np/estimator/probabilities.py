"""How sure a trained estimator is of the tags that it predicts."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from ladtl_np.arrays.workers import single_threaded_blas
from ladtl_np.corpus.schemes import decoded_tags
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.errors import UsageError
from ladtl_np.estimator.parameters import Parameters
from ladtl_np.estimator.sentences import tokens_of
from ladtl_np.model.confidence import Asked, Path, Sure
from ladtl_np.model.decoding import Decoder
from ladtl_np.model.file import Model
from ladtl_np.options.best_paths import MOST_PATHS
from ladtl_np.shapes import Floats

__all__ = ["Probabilities"]


class Probabilities(Parameters):
    """Methods that tell probabilities, of whatever has a model and a decoder."""

    @abstractmethod
    def _fitted(self) -> Model:
        """The model; a `UsageError` if there is none."""

    @abstractmethod
    def _decoder(self) -> Decoder:
        """Its decoder."""

    def predict_proba(self, X: Corpus | Sequence[Sequence[str]]) -> list[Floats]:
        """Probabilities of all tags of each token, given that the sentence's tags are legal.

        Returns
        -------
        list
            Of each sentence an array (T, m) of float64. A column is a tag of
            ``model_.target_tags.tags``, in that order; rows sum to 1.

        Raises
        ------
        LadtlError
            As `predict`.
        """
        return [sure.marginals for sure in self._sure(X, Asked(marginals=True))]

    def predict_nbest(
        self, X: Corpus | Sequence[Sequence[str]], count: int = 5
    ) -> list[list[Path]]:
        """The best tag sequences of each sentence with their probabilities, best first.

        Parameters
        ----------
        X
            Sentences.
        count
            How many, from 1 to 100; of a short sentence there may be fewer.

        Returns
        -------
        list
            Of each sentence a list of pairs ``(tags, probability)``; the tags are in the scheme of
            the target's training sentences, as those of `predict`, which are the first.

        Raises
        ------
        LadtlError
            As `predict`; or if `count` is none of these numbers.
        """
        if not 1 <= count <= MOST_PATHS:
            raise UsageError(f"count must lie between 1 and {MOST_PATHS}, got {count}")
        scheme = self._fitted().target_scheme
        return [
            [Path(decoded_tags(path.tags, scheme), path.probability) for path in sure.paths]
            for sure in self._sure(X, Asked(paths=count))
        ]

    def _sure(self, X: Corpus | Sequence[Sequence[str]], asked: Asked) -> list[Sure]:
        self._fitted()
        tokens = tokens_of(X)
        with single_threaded_blas():
            return self._decoder().start_sure(tokens, asked=asked)()
