"""Options of the parts of a run, each with its default, its meaning and its range."""

from __future__ import annotations

from typing import Literal

import msgspec

from ladtl_np.options.ranges import require

__all__ = [
    "AdaGradOptions",
    "CharacterOptions",
    "DecodingOptions",
    "ModelOptions",
    "TrainingOptions",
    "VectorOptions",
    "VocabularyOptions",
]


class ModelOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sizes of the network.

    Attributes
    ----------
    embedding
        D, size of a word embedding.
    hidden
        H, LSTM units per direction.
    dropout
        Share of the embeddings' values that training sets to 0.
    emission_bias
        Whether emissions have a bias; the paper's have none.
    recurrent_init
        How the LSTM's recurrent weights start: ``glorot`` (uniform, per gate) or ``normal`` (with
        deviation 0.01, as in the released code).
    scheme
        What tags are written in inside: ``bioes``, four tags a type, or ``iob2``, two, as the paper
        has on Weibo, SIGHAN and Twitter. Corpora may be in any scheme.
    """

    embedding: int = 100
    hidden: int = 100
    dropout: float = 0.5
    emission_bias: bool = False
    recurrent_init: Literal["glorot", "normal"] = "glorot"
    scheme: Literal["bioes", "iob2"] = "bioes"

    def __post_init__(self) -> None:
        require(self.embedding > 0, f"embedding must be at least 1, got {self.embedding}")
        require(self.hidden > 0, f"hidden must be at least 1, got {self.hidden}")
        require(0.0 <= self.dropout < 1.0, f"dropout must lie in [0, 1), got {self.dropout}")


class AdaGradOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How steps are sized.

    Attributes
    ----------
    learning_rate
        Step size before AdaGrad's scaling.
    initial_accumulator
        Where every sum of squares starts; larger values make the first steps smaller.
    epsilon
        Added to the root of the sum, against division by 0.
    decay
        What the learning rate is multiplied by after every `decay_steps` steps.
    decay_steps
        Steps between two decays; 0 is never.
    clip_norm
        Gradients longer than this, all parameters together, are scaled down to it; 0 is never.
    """

    learning_rate: float = 0.1
    initial_accumulator: float = 0.1
    epsilon: float = 1e-10
    decay: float = 1.0
    decay_steps: int = 0
    clip_norm: float = 5.0

    def __post_init__(self) -> None:
        rate = self.learning_rate
        require(rate > 0.0, f"learning_rate must be positive, got {rate}")
        for name in ("initial_accumulator", "epsilon", "decay_steps", "clip_norm"):
            value = getattr(self, name)
            require(value >= 0, f"{name} must not be negative, got {value}")
        require(
            self.initial_accumulator + self.epsilon > 0.0,
            "initial_accumulator and epsilon must not both be 0: the first step would divide by 0",
        )
        require(0.0 < self.decay <= 1.0, f"decay must lie in (0, 1], got {self.decay}")


class TrainingOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Length of a run and its mini-batches.

    Attributes
    ----------
    steps
        Mini-batches at most.
    source_batch
        Source sentences in a mini-batch.
    target_batch
        Target sentences in a mini-batch.
    batches
        How the source's sentences are drawn: ``shuffled``, in passes; or ``label-balanced``, up to
        half of them for labels that the target's sentences of a mini-batch hold and the others
        lack, so that the MMD compares more labels.
    evaluate_every
        Steps between two evaluations on the development data.
    patience
        Evaluations without a better F1 after which the run stops; 0 is never.
    unknown_probability
        Probability with which a word seen once in training is taken for unknown.
    epoch
        What a pass is counted over in reports: the ``larger`` training set, or the ``target``.
    start
        Where a method of two domains starts: at ``random`` values, or from a ``source-model``,
        which is trained on the source alone, as re-training's first stage. Its encoder is carried
        over, and its CRF to the CRFs of both domains (section `reload`).
    select_by
        Whose F1 on the development data chooses the model: ``conlleval`` or ``strict``.
    """

    steps: int = 1000
    source_batch: int = 32
    target_batch: int = 32
    batches: Literal["shuffled", "label-balanced"] = "shuffled"
    evaluate_every: int = 100
    patience: int = 0
    unknown_probability: float = 0.5
    epoch: Literal["larger", "target"] = "larger"
    start: Literal["random", "source-model"] = "random"
    select_by: Literal["conlleval", "strict"] = "conlleval"

    def __post_init__(self) -> None:
        for name in ("steps", "source_batch", "target_batch", "evaluate_every"):
            value = getattr(self, name)
            require(value > 0, f"{name} must be at least 1, got {value}")
        require(self.patience >= 0, f"patience must not be negative, got {self.patience}")
        probability = self.unknown_probability
        require(
            0.0 <= probability <= 1.0,
            f"unknown_probability must lie in [0, 1], got {probability}",
        )


class VocabularyOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How words are told apart.

    Attributes
    ----------
    lower
        Whether words are lower-cased.
    digits_to_zero
        Whether every digit counts as 0.
    min_count
        Words and characters rarer than this in the training data are unknown; from 2 on, no word
        is known that only the file of vectors has.
    key
        File of a secret key, made if it is not there; with it the model holds keyed hashes of words
        and characters in their place, and needs the key to tag.
    """

    lower: bool = False
    digits_to_zero: bool = False
    min_count: int = 1
    key: str = ""

    def __post_init__(self) -> None:
        require(self.min_count > 0, f"min_count must be at least 1, got {self.min_count}")


class VectorOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which words of a file of vectors a model knows beside those of its training data.

    Attributes
    ----------
    keep
        The first so many of the file, whose order is that of frequency; ``all`` of them; or
        ``training``, none. Development and test data add no word.
    """

    keep: Literal["all", "training"] | int = 20_000

    def __post_init__(self) -> None:
        require(
            isinstance(self.keep, str) or self.keep > 0,
            f"keep must be at least 1, or training for none, got {self.keep}",
        )


class CharacterOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A BiLSTM over each word's characters, beside its embedding (fig. 6).

    Attributes
    ----------
    hidden
        Character LSTM units per direction; 0 is no character BiLSTM.
    embedding
        Size of a character's embedding.
    lower
        Whether characters are lower-cased.
    """

    hidden: int = 0
    embedding: int = 25
    lower: bool = False

    def __post_init__(self) -> None:
        require(self.hidden >= 0, f"hidden must not be negative, got {self.hidden}")
        require(self.embedding > 0, f"embedding must be at least 1, got {self.embedding}")


class DecodingOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How tags are chosen.

    Attributes
    ----------
    constrained
        Whether only tag sequences that are legal in the model's scheme may be chosen.
    emission_bias
        Whether decoding adds the emission bias, where the model has one; the released code trains
        one and leaves it out.
    """

    constrained: bool = True
    emission_bias: bool = True
