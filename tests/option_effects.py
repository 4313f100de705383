"""Facts of a run that change together: the vocabulary of the table in option_rows.py.

A fact is named as in run_facts.py; ``d`` leads a gradient, ``start`` a start value.
"""

from __future__ import annotations

ENCODER = frozenset(
    {"d words", "d recurrence", "d LSTM", "d LSTM biases"}
    | {"d characters", "d character LSTM", "d character LSTM biases"}
)
SOURCE_CRF = frozenset({"d source emissions", "d source bias", "d source transitions"})
TARGET_CRF = frozenset({"d target emissions", "d target bias", "d target transitions"})
CRF_WEIGHTS = frozenset((SOURCE_CRF | TARGET_CRF) - {"d source bias", "d target bias"})
GRADIENTS = ENCODER | SOURCE_CRF | TARGET_CRF

NLL = frozenset({"source_nll", "target_nll", "total"})
BATCH_TERMS = NLL | {"mmd"}
TERMS = BATCH_TERMS | {"param", "reg"}
ON_TARGET = frozenset({"target_nll", "total"}) | ENCODER | TARGET_CRF
ON_BATCH = BATCH_TERMS | GRADIENTS
MMD = frozenset({"mmd", "total"}) | ENCODER
TRANSFER = frozenset({"param", "total"}) | CRF_WEIGHTS

SOURCE_START = frozenset({"start source emissions", "start source transitions"})
TARGET_START = frozenset({"start target emissions", "start target transitions"})
CHARACTER_START = frozenset({"start characters", "start character LSTM"})
WORD_LSTM = frozenset({"start recurrence", "start LSTM"})
START = frozenset({"start words"}) | WORD_LSTM | SOURCE_START | TARGET_START | CHARACTER_START
# what is trained is carried over with its biases, which no draw sets
CARRIED = (START - SOURCE_START) | {
    "start LSTM biases",
    "start target bias",
    "start character LSTM biases",
}

CRF_START = frozenset({"start target emissions", "start target bias", "start target transitions"})
# they start at 0, so that the first loss is the same with them and without
BIASES = frozenset({"start source bias", "start target bias", "d source bias", "d target bias"})
REGULARISED = CRF_WEIGHTS | (ENCODER - {"d words", "d characters"})
CHARACTERS_READ = (START - {"start words"}) | {
    "start character LSTM biases",
    "dropout",
    "param",
    "reg",
}

TAGS = frozenset({"evaluation's tags", "predictions", "model's tags"})
# another size of a table moves every later draw of start values
VOCABULARY = frozenset({"vocabulary"}) | START | TERMS | GRADIENTS | TAGS
ALPHABET = frozenset({"alphabet", "spellings", "start characters"}) | ON_BATCH | TAGS
WORDS = VOCABULARY | ALPHABET
SHAPES = frozenset({"dropout", "spellings"})  # of a batch
UNKNOWN = frozenset({"source unknown", "target unknown"})  # both from one generator
SOURCE_DRAWS = frozenset({"source stream"}) | UNKNOWN | SHAPES
TARGET_DRAWS = frozenset({"target stream"}) | UNKNOWN | SHAPES
SOURCE_SET = WORDS | SOURCE_DRAWS | {"source sentences"}
SOURCE_SIZE = frozenset({"source weights", "epochs"})
TARGET_SET = WORDS | TARGET_DRAWS | {"target sentences"}
SAMPLES = SOURCE_SET | TARGET_SET
SIZES = START | {"param", "reg"}  # another sample may have as many words as the one before
TARGET_TAGS = frozenset({"tags", "matches", "start target bias"}) | TARGET_START | CHARACTER_START
TARGET_TAGS |= TERMS | GRADIENTS | TAGS
SOURCE_TAGS = (TARGET_TAGS - TAGS - {"start target bias"}) | SOURCE_START | {"start source bias"}
SCHEME = SOURCE_TAGS | TARGET_TAGS | {"source stream", "target stream"}
SCHEME |= {"source sentences", "target sentences"}
WARM_START = START | TERMS | GRADIENTS | {"source stage", "start source bias"}
WARM_START |= {"source stream", "source unknown"}
WARM_START |= {"start target bias", "start LSTM biases", "start character LSTM biases"}
BOTH_CRFS = SOURCE_CRF | SOURCE_START | {"source_nll", "mmd", "start source bias"}
SIMILARITY = frozenset({"source weights", "source_nll", "total"}) | ENCODER | TARGET_CRF
SHARED = SOURCE_START | TARGET_START | CHARACTER_START | NLL | GRADIENTS | TAGS
SHARED |= {"start source bias", "start target bias", "reg"}
BEFORE = ON_TARGET | {"reg"}
STAGE = CARRIED | BEFORE | {"source stage"}
