"""What every option changes: the value it is moved to, the facts that differ, and no others.

A first update follows the gradients, and the last weights follow every draw and every update; the
test adds both by itself. Where a row names the first update, all of its parameters differ.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from law_options import Base
from option_effects import (
    ALPHABET,
    BEFORE,
    BIASES,
    BOTH_CRFS,
    CHARACTER_START,
    CHARACTERS_READ,
    CRF_START,
    ENCODER,
    GRADIENTS,
    MMD,
    NLL,
    ON_BATCH,
    ON_TARGET,
    REGULARISED,
    SAMPLES,
    SCHEME,
    SHARED,
    SIMILARITY,
    SIZES,
    SOURCE_CRF,
    SOURCE_DRAWS,
    SOURCE_SET,
    SOURCE_SIZE,
    SOURCE_TAGS,
    STAGE,
    START,
    TAGS,
    TARGET_CRF,
    TARGET_DRAWS,
    TARGET_SET,
    TARGET_START,
    TARGET_TAGS,
    TERMS,
    TRANSFER,
    UNKNOWN,
    VOCABULARY,
    WARM_START,
    WORD_LSTM,
    WORDS,
)

UNMAPPED: Base = {"data.label_map": ""}
UNBIASED: Base = {"model.emission_bias": False, "objective.w_reg": 0.0}
SAMPLED: Base = {"data.target_fraction": 0.7, "data.source_fraction": 0.7}
EXACT: Base = {"method": "crf-l2", "objective.parameter_transfer": "kl"}
ALL_UNKNOWN: Base = {"training.unknown_probability": 1.0}
RETRAINED: Base = {"method": "re-training"}
WARM: Base = {"training.start": "source-model"}
PROJECTED: Base = {"method": "linear-projection"}
MASKED: Base = {"method": "domain-mask"}
# what is evaluated may choose another step's model
FILE_ROWS = frozenset({"vocabulary", "start words"}) | TAGS
FILE_WORDS: Base = {"data.embeddings": "vectors-dev.txt"}
SECOND: Base = {"data.more_sources": [{"file": "second.txt"}]}
WEIGHTED: Base = {"method": "cd-learning"}


class Move(NamedTuple):
    """One option moved to another value; what it may change is left to the draws."""

    key: str
    value: Any
    changes: frozenset[str]
    base: Base
    may: frozenset[str] = frozenset()
    refused: bool = False


def move(
    key: str,
    value: Any,
    *changes: frozenset[str] | str,
    base: Base | None = None,
    may: frozenset[str] = frozenset(),
) -> Move:
    names = frozenset().union(*({c} if isinstance(c, str) else c for c in changes))
    # which words are seen once, and where they stand
    may |= UNKNOWN - names if "vocabulary" in names else frozenset()
    return Move(key, value, names, base or {}, may)


def refused(key: str, value: Any, base: Base | None = None) -> Move:
    return Move(key, value, frozenset(), base or {}, refused=True)


def variant(side: str, ending: str) -> Base:
    """The files that an option of reading applies to, in another form."""
    if side == "source":
        return {"data.source": f"source-{ending}.txt"}
    target: Base = {f"data.{role}": f"{role}-{ending}.txt" for role in ("target", "dev")}
    return target | {"data.test": [f"test-{ending}.txt"]}


def reading_moves(side: str) -> list[Move]:
    """Options of the columns of one side's files; the target's are those of its dev and tests."""
    key = f"data.{side}_format."
    source = side == "source"
    words = WORDS if source else WORDS | {"evaluated"}
    seen: frozenset[str] = frozenset() if source else frozenset({"evaluated", "predictions"})
    names = seen if source else seen | TAGS
    told = seen if source else seen | {"model's tags"}  # in the target's scheme
    sentences = SOURCE_SET | SOURCE_SIZE if source else TARGET_SET
    return [
        move(key + "token_column", 1, words),
        move(key + "tag_column", 2, SOURCE_TAGS if source else TARGET_TAGS, seen, base=UNMAPPED),
        refused(key + "delimiter", "space"),
        move(key + "position_digits", True, words, base=variant(side, "positions")),
        move(key + "scheme", "IOB1", told, "files", base=variant(side, "iob2")),
        refused(key + "scheme", "BILOU"),
        move(key + "rename", {"Drug": "Medicine"}, "tags", "matches", MMD, TRANSFER, names),
        move(key + "encoding", "latin-1", words),
        move(key + "keep_docstart", True, sentences, seen, "files"),
        # what these documents do not need; test_read moves it where it matters
        move(key + "format", "conll"),
        move(key + "tokens", "spaces", base=variant(side, "brat")),
        move(key + "sentences", "whole", base=variant(side, "brat")),
        refused(key + "ends", "inclusive", base=variant(side, "json")),
        move(key + "fragments", "join", base=variant(side, "brat")),
        move(key + "overlaps", "first", base=variant(side, "brat")),
        move(key + "repair", True, base=variant(side, "brat")),
    ]


RUN = [
    move("method", "la-mmd", TRANSFER),
    move("method", "mmd-crf-l2", MMD),
    move("seed", 3, START, TERMS, GRADIENTS, SOURCE_DRAWS, TARGET_DRAWS),
    move("seed", 3, SOURCE_SET, TARGET_SET, base=SAMPLED),
    move("threads", 2),
]
DATA = [
    move("data.source", "source-other.txt", SOURCE_SET, SOURCE_SIZE, "files"),
    move("data.target", "target-other.txt", TARGET_SET, "files"),
    move("data.dev", "dev-other.txt", "evaluated", "files"),
    move("data.test", ["test-other.txt"], "predictions", "files"),
    move("data.dev_format", {"rename": {"Drug": "Medicine"}}, "evaluated"),
    move("data.test_format", {"rename": {"Drug": "Medicine"}}, "predictions"),
    move("data.target_fraction", 0.7, TARGET_SET),
    move("data.target_chosen", "chosen.txt", TARGET_SET),
    move("data.source_fraction", 0.7, SOURCE_SET, SOURCE_SIZE),
    move("data.sample_seed", 3, SAMPLES - SIZES, base=SAMPLED, may=SIZES),
    move("data.more_sources", SECOND["data.more_sources"], WORDS, UNKNOWN, "dropout", "files"),
    move(
        "data.shares",
        "equal",
        *("source_nll", "param", MMD, SOURCE_CRF),
        TARGET_CRF - {"d target bias"},  # both biases start at 0, and the shares sum to 1
        base=SECOND,
    ),
    move(
        "data.concatenate",
        True,
        *("source sentences", SOURCE_SIZE, SOURCE_DRAWS),
        *(TERMS, GRADIENTS, TARGET_START, CHARACTER_START),
        base=SECOND,
    ),
    move("data.label_map", "map.toml", "matches", MMD, TRANSFER, base=UNMAPPED),
    move("data.label_map", "map-other.toml", "matches", MMD, TRANSFER),
    move(
        "data.label_map",
        "map-other.toml",
        "matches",
        "source_nll",
        "total",
        ENCODER,
        TARGET_CRF,
        base=MASKED,
    ),
    move("data.embeddings", "vectors.txt", "start words", ON_BATCH),
    move("data.embeddings", "vectors-dev.txt", FILE_ROWS, ON_BATCH),
    move("vectors.keep", "training", FILE_ROWS, base=FILE_WORDS),
]
MODEL = [
    move("model.embedding", 7, START, TERMS, GRADIENTS, "dropout", TAGS),
    move("model.hidden", 5, START - {"start words"}, "start LSTM biases", TERMS, GRADIENTS, TAGS),
    move("model.dropout", 0.2, "dropout", ON_BATCH),
    move("model.dropout", 0.0, "dropout", ON_BATCH),
    move("model.emission_bias", True, BIASES, TAGS, base=UNBIASED),
    move(
        "model.recurrent_init",
        "normal",
        TERMS - {"param"},
        GRADIENTS,
        "start recurrence",
        may=(START - {"start words", "start recurrence"})
        | {"param"},  # a normal draw may take more of the generator
    ),
    move("model.scheme", "iob2", SCHEME),
    move("characters.hidden", 2, ALPHABET, CHARACTERS_READ, base={"characters.hidden": 0}),
    move("characters.embedding", 4, CHARACTER_START, ON_BATCH, "reg", TAGS),
    move("characters.lower", True, ALPHABET),
    move("vocabulary.lower", True, VOCABULARY),
    move("vocabulary.digits_to_zero", True, VOCABULARY),
    move("vocabulary.min_count", 3, WORDS),  # characters are rare from there on
    move("vocabulary.key", "vocabulary.key"),  # words are hashed when all is done
    move("decoding.constrained", False, TAGS),
    move("decoding.emission_bias", False, TAGS),
]
OBJECTIVE = [
    move("objective.source_share", 0.6, "total", GRADIENTS),
    move("objective.source_share", "linear(0.6, 0.1)", "total", GRADIENTS),
    move("objective.w_mmd", 0.5, MMD - {"mmd"}),
    move("objective.w_mmd", "linear(0.5, 0)", MMD - {"mmd"}),
    move("objective.w_param", "steps(0.5, 0.9: 0)", TRANSFER - {"param"}),
    move("objective.w_param", 0.5, TRANSFER - {"param"}),
    move("objective.w_reg", 0.01, "total", REGULARISED),
    move("objective.kernel", "median", MMD),
    move("objective.kernel", [1.0], MMD),
    # with so few frequencies some label has rows enough for them
    move("objective.mmd_estimator", "random-features", MMD, base={"objective.mmd_features": 2}),
    move(
        "objective.mmd_features",
        3,
        MMD,
        base={"objective.mmd_estimator": "random-features", "objective.mmd_features": 2},
    ),
    move("objective.exclude_tags", ["O"], MMD),
    move("objective.mmd_floor", 100.0, MMD),
    move("objective.mmd_floor", 100.0, MMD, base={"method": "mmd-crf-l2"}),
    move("objective.parameter_transfer", "kl", TRANSFER, ENCODER, "d target bias"),
    move("objective.divergence_gradient", "both", ENCODER, SOURCE_CRF, base=EXACT),
]
TRAINING = [
    move("optimizer.learning_rate", 0.2, "first update", "learning rates"),
    move("optimizer.initial_accumulator", 0.3, "first update"),
    move("optimizer.epsilon", 0.5, "first update"),
    move("optimizer.decay", 0.5, "learning rates", base={"optimizer.decay_steps": 2}),
    move("optimizer.decay_steps", 2, "learning rates", base={"optimizer.decay": 0.5}),
    move("optimizer.clip_norm", 0.01, "first update"),
    move("training.steps", 10, "steps", "evaluations"),
    move("training.source_batch", 9, SOURCE_DRAWS, ON_BATCH, "epochs"),
    move("training.target_batch", 7, TARGET_DRAWS, ON_BATCH),
    move(
        "training.batches",
        "label-balanced",
        SOURCE_DRAWS,
        ON_BATCH - TARGET_CRF - {"target_nll"},
        may=TARGET_CRF | {"target_nll"},  # by other masks, where the source's half has other sizes
    ),
    move("training.evaluate_every", 3, "evaluations", "best"),
    move("training.patience", 1, "steps", "evaluations", "best"),
    move("training.unknown_probability", 0.0, UNKNOWN, ON_BATCH, base=ALL_UNKNOWN),
    move("training.epoch", "target", "epochs"),
    move("training.select_by", "strict", "best"),
]
METHOD = [
    move("joint.crf", "shared", SHARED, base={"method": "joint-training"}),
    move(
        "projection.init",
        "xavier",
        "start maps",
        "d maps",
        NLL,
        "reg",
        CHARACTER_START,
        ENCODER,
        TARGET_CRF,
        base=PROJECTED,
    ),
    move("projection.frozen", True, "reg", "total", "d maps", base=PROJECTED),
    move("mask.shared_fraction", 0.5, NLL, ENCODER, TARGET_CRF, TAGS, base=MASKED),
    move("cd.similarity", "gaussian", SIMILARITY, base=WEIGHTED),
    move("cd.similarity", "cross-entropy", SIMILARITY, base=WEIGHTED),
    move("cd.mode", "step", "first update", base=WEIGHTED),
    move("cd.width", 0.3, SIMILARITY, base={**WEIGHTED, "cd.similarity": "gaussian"}),
    move("cd.order", 3, SIMILARITY, base={**WEIGHTED, "cd.similarity": "cross-entropy"}),
]
RETRAINING = [
    move("seed", 3, STAGE, SOURCE_DRAWS, TARGET_DRAWS, base=RETRAINED),
    move(
        "data.label_map",
        "map-other.toml",
        "matches",
        CRF_START,
        ON_TARGET,
        base=RETRAINED,
        may=frozenset({"reg"}),  # the same numbers in other places
    ),
    move(
        "training.steps",
        10,
        "steps",
        "evaluations",
        STAGE,
        base=RETRAINED,
    ),
    move(
        "training.source_batch",
        9,
        "source stream",
        "source unknown",
        STAGE,
        base=RETRAINED,
    ),
    move("reload.words", False, "start words", ON_TARGET, base=RETRAINED),
    move("reload.characters", False, "start characters", ON_TARGET, base=RETRAINED),
    move(
        "reload.character_lstm",
        False,
        "start character LSTM",
        "start character LSTM biases",
        BEFORE,
        base=RETRAINED,
    ),
    move("reload.word_lstm", False, WORD_LSTM, "start LSTM biases", BEFORE, base=RETRAINED),
    move(
        "reload.emission",
        False,
        "start target emissions",
        "start target bias",
        BEFORE,
        base=RETRAINED,
    ),
    move("reload.transition", False, "start target transitions", BEFORE, base=RETRAINED),
    move("reload.source_steps", 7, STAGE, base=RETRAINED),
    move("training.start", "source-model", WARM_START),
    move(
        "reload.word_lstm",
        False,
        WORD_LSTM,
        "start LSTM biases",
        BEFORE,
        SOURCE_CRF,
        "source_nll",
        "mmd",
        base=WARM,
    ),
    move("reload.source_steps", 7, STAGE, BOTH_CRFS, base=WARM),
]
MOVES = [
    *RUN,
    *DATA,
    *reading_moves("source"),
    *reading_moves("target"),
    *MODEL,
    *OBJECTIVE,
    *TRAINING,
    *METHOD,
    *RETRAINING,
]
