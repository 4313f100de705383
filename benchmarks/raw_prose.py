"""How well prose is tagged beside text that is cut already: entity F1, by exact characters.

    python benchmarks/raw_prose.py CORPORA [--steps 1500] [--json]

CORPORA holds ``conll2003_en/eng.{train,testb}`` and ``twitter_ner/ritter2011/{train,test}.txt``;
clinical English is made up here, in the manner of corpora that part hyphens, slashes and units. A
model without transfer is trained on each training part. The test's tokens are put together as a
person would write them, and cut by white space and by what the model remembers of its training.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import msgspec

from ladtl_np.commands.support.streams import Cut
from ladtl_np.corpus.cutting.profile import Profile
from ladtl_np.corpus.formats.conll import read_conll
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.schemes import Span, spans, to_bioes
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.model.file import Model
from ladtl_np.model.tagging import Tagger
from ladtl_np.options.config import parse_config
from ladtl_np.training.preparation import Corpora, prepare
from ladtl_np.training.trained_model import build_model
from ladtl_np.training.trainer import Trainer

_LEFT = set(", . ; : ! ? ) ] } % 's 'S 're 've 'll 'm 'd n't N'T ''".split())  # cling to the left
_RIGHT = set("( [ { $ ``".split())


class Case(NamedTuple):
    """A corpus, and which of its tokens are written without spaces on both sides."""

    name: str
    train: Corpus
    test: Corpus
    joined: frozenset[str]


def written(tokens: Sequence[str], joined: frozenset[str]) -> tuple[str, list[tuple[int, int]]]:
    """Tokens as a person would write them, and where each of them is."""
    text, bounds = "", []
    cling, quoted = True, {'"': False, "'": False}
    for token in tokens:
        if token == "." and text.endswith("."):  # one period ends abbreviation and sentence
            bounds.append((len(text) - 1, len(text)))
            continue
        left, right = token in _LEFT or token in joined, token in _RIGHT or token in joined
        left = left or (set(token) <= set(".!?") and len(token) > 1)
        if token in quoted:
            left, right = quoted[token], not quoted[token]
            if token == "'" and not left and text.endswith("s"):
                left, right = True, False  # of a plural
            else:
                quoted[token] = right
        if not cling and not left:
            text += " "
        bounds.append((len(text), len(text) + len(token)))
        text += token
        cling = right
    return text, bounds


def entities_of(sentence: Sentence, scheme: str, bounds: Sequence[tuple[int, int]]) -> list[Span]:
    """Entities of a sentence as spans of characters."""
    found = spans(to_bioes(sentence.tags or (), scheme), "BIOES")
    return [(bounds[start][0], bounds[end - 1][1], kind) for start, end, kind in found]


def trained(corpus: Corpus, steps: int) -> Model:
    """A model without transfer."""
    config = parse_config(
        {
            "method": "non-transfer",
            "threads": 2,
            "model": {"embedding": 100, "hidden": 100},
            "vocabulary": {"lower": True, "digits_to_zero": True},
            "training": {"steps": steps, "evaluate_every": steps},
        }
    )
    trainer = Trainer(prepare(config, Corpora(None, corpus)))
    for _ in trainer.run():
        pass
    return build_model(trainer.prepared, trainer.network, {}, {})


def compared(case: Case, steps: int) -> dict[str, object]:
    """F1 in per cent, and share of unknown tokens, of the test in all its forms."""
    model = trained(case.train, steps)
    texts, gold = [], []
    for sentence in case.test:
        text, bounds = written(sentence.tokens, case.joined)
        texts.append(text)
        gold.append(entities_of(sentence, case.test.scheme, bounds))
    tagger = Tagger(model, threads=2)
    told = []
    for tags, sentence in zip(tagger.tag(s.tokens for s in case.test), case.test, strict=True):
        _, bounds = written(sentence.tokens, case.joined)
        told.append(entities_of(replace(sentence, tags=tags), "BIOES", bounds))
    tokens = [token for sentence in case.test for token in sentence.tokens]
    known = model.vocabulary.knows
    rows = {"tokens": (f1(told, gold), unknown(tokens, known))}
    spaced = msgspec.structs.replace(model.profile, tokens="spaces")
    for name, profile in (("spaces", spaced), ("words", model.profile)):
        rows[name] = prose(texts, gold, profile, tagger)
    return {"corpus": case.name, "profile": model.profile.to_state(), "rows": rows}


def prose(
    texts: Sequence[str], gold: Sequence[Sequence[Span]], profile: Profile, tagger: Tagger
) -> tuple[float, float]:
    """F1 and unknown tokens of texts that are cut in one way."""
    known = tagger.model.vocabulary.knows
    cut = Cut(profile, known)
    units = [cut.unit(text, 0) for text in texts]
    tags = tagger.tag(sentence for unit in units for sentence in unit.sentences())
    told = [unit.entities([next(tags) for _ in unit.firsts]) for unit in units]
    return f1(told, gold), unknown([t for unit in units for t in unit.raw.tokens], known)


def f1(told: Sequence[Sequence[Span]], gold: Sequence[Sequence[Span]]) -> float:
    """Micro-averaged F1 in per cent of exact spans."""
    right = sum(len(set(a) & set(b)) for a, b in zip(told, gold, strict=True))
    return 200 * right / max(1, sum(map(len, told)) + sum(map(len, gold)))


def unknown(tokens: Iterable[str], known) -> float:
    """Share of tokens without a row of their own, in per cent."""
    found = [known(token) for token in tokens]
    return 100 * (1 - sum(found) / len(found))


# --- clinical English, made up

_FORMS = (
    "Pt. denies {p} , {p} / {p} ; {t} 120 / 80 mmHg .",
    "Started on {d} 81 mg q.d. ( see Dr. Lee 's note ) .",
    "He has {p} , {p} , and {p} .",
    "{t} was 3.5 and {t} was within normal limits .",
    "No {p} ; {t} pending , c/w {p} .",
    "{d} 5 mg b.i.d. was stopped because of {p} .",
    "The patient 's {p} is well - controlled with {d} .",
    "She does n't take {d} or {d} ( {p} ) .",
    "Follow - up {t} showed {p} vs. {p} .",
    "Dr. Kim started {d} 10 - 20 mg for {p} on 3 / 14 .",
    "{p} improved by 10 % after {d} .",
    "History : {p} ( 2009 ) , {p} , s / p {t} .",
)
_PLACES = "chest abdominal back joint neck hip knee renal hepatic cardiac pelvic thoracic".split()
_PROBLEMS = "pain swelling stiffness failure injury infection mass lesion bleeding edema".split()
_STEMS = "ator cef metop lisin warf hepar amox ibup furos predn glip vanc".split()
_ENDS = "olol april in icillin statin ide one azole".split()
_TESTS = "CT|MRI|ultrasound|biopsy|x - ray|culture|EKG|BP|WBC count|CK - MB|BUN / Cr".split("|")


def _problem(draw: random.Random) -> str:
    kind = f"{draw.choice(_PLACES)} {draw.choice(_PROBLEMS)}"
    return draw.choice(
        [kind, f"non - {kind}", "SOB", "type - 2 diabetes", "N / V", f"post - op {kind}"]
    )


def _test(draw: random.Random) -> str:
    return draw.choice([*_TESTS, f"{draw.choice(_PLACES)} CT"])


def clinical(sentences: int, seed: int) -> Corpus:
    """Made-up notes with problems, drugs and tests."""
    draw = random.Random(seed)
    slots = {
        "{p}": ("Problem", _problem),
        "{d}": ("Drug", lambda draw: draw.choice(_STEMS) + draw.choice(_ENDS)),
        "{t}": ("Test", _test),
    }
    made = []
    for _ in range(sentences):
        tokens: list[str] = []
        tags: list[str] = []
        for part in draw.choice(_FORMS).split(" "):
            kind, word = slots.get(part, ("", None))
            words = word(draw).split(" ") if word else [part]
            tokens += words
            tags += [f"{'I' if n else 'B'}-{kind}" if kind else "O" for n in range(len(words))]
        made.append(Sentence(tuple(tokens), tuple(tags)))
    return Corpus("clinical", tuple(made), "IOB2")


def cases(folder: Path) -> list[Case]:
    """All corpora."""
    news = folder / "conll2003_en"
    tweets = folder / "twitter_ner" / "ritter2011"
    read = ReadOptions(delimiter="space")
    slash = frozenset("/")
    return [
        Case("news", *(read_conll(news / f"eng.{n}", read) for n in ("train", "testb")), slash),
        Case("tweets", *(read_conll(tweets / f"{n}.txt") for n in ("train", "test")), slash),
        Case("clinical", clinical(1500, 1), clinical(500, 2), frozenset("/-")),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    for case in cases(asked.corpora):
        found = compared(case, asked.steps)
        if asked.json:
            print(json.dumps(found), flush=True)
            continue
        for name, (score, share) in found["rows"].items():
            print(f"{case.name:9} {name:7} F1 {score:5.1f}  unknown {share:4.1f} %", flush=True)


if __name__ == "__main__":
    main()
