"""The synthetic demo corpus: sizes, determinism, legality, and what makes it a transfer task."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from importlib.resources import files

import pytest

from ladtl_np.corpus.demo import (
    DEFAULT_SEED,
    ENTITY_TYPES,
    SIZES,
    SPECIALTIES,
    SPLITS,
    generate,
)
from ladtl_np.corpus.demo.lexicon import style_of
from ladtl_np.corpus.schemes import detect_scheme, illegal_positions, spans
from ladtl_np.errors import UsageError
from ladtl_np.runs.demo import write_demo

SHA256 = "e4419b0232e949a5289ed302db380cbb7c16e117ee7263eb26c2e6bfca6eceeb"


def mentions(corpus):
    """Yield text and type of every entity."""
    for sentence in corpus:
        for start, end, kind in spans(sentence.tags, "BIOES"):
            yield "".join(sentence.tokens[start:end]), kind


def test_the_generated_text_is_pinned():
    digest = hashlib.sha256()
    for specialty in SPECIALTIES:
        for split in SPLITS:
            for sentence in generate(specialty, split):
                digest.update("".join(sentence.tokens).encode())
                digest.update(" ".join(sentence.tags).encode())
    assert digest.hexdigest() == SHA256


def test_another_process_with_another_hash_seed_generates_the_same():
    program = (
        "import hashlib; from ladtl_np.corpus.demo import generate;"
        "print(hashlib.sha256(repr(generate('neurology', 'test')).encode()).hexdigest())"
    )
    for hash_seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        run = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, check=True, env=environment
        )
        expected = hashlib.sha256(repr(generate("neurology", "test")).encode()).hexdigest()
        assert run.stdout.decode().strip() == expected


@pytest.mark.parametrize("specialty", SPECIALTIES)
@pytest.mark.parametrize("split", SPLITS)
def test_sizes_are_those_of_the_papers_table_1(specialty, split):
    corpus = generate(specialty, split)
    assert len(corpus) == SIZES[specialty][split]
    assert corpus.name == f"demo:{specialty}/{split}"


def test_sizes_add_up_to_the_papers_sums():
    totals = [sum(SIZES[specialty][split] for specialty in SPECIALTIES) for split in SPLITS]
    assert totals == [8478, 1696, 1698]


def test_there_are_thirty_types_and_so_121_tags():
    assert len(set(ENTITY_TYPES)) == 30
    assert all(re.fullmatch(r"[A-Za-z]+", name) for name in ENTITY_TYPES)


@pytest.mark.parametrize("specialty", SPECIALTIES)
def test_every_type_occurs_in_training_with_a_long_tail(specialty):
    counts = Counter(kind for _, kind in mentions(generate(specialty, "train")))
    assert set(counts) == set(ENTITY_TYPES)
    assert min(counts.values()) >= 5
    assert max(counts.values()) > 20 * min(counts.values())


@pytest.mark.parametrize("specialty", SPECIALTIES)
def test_tags_are_legal_and_tokens_are_single_characters_that_columns_can_hold(specialty):
    for split in SPLITS:
        corpus = generate(specialty, split)
        assert detect_scheme(sentence.tags for sentence in corpus) == corpus.scheme == "BIOES"
        for sentence in corpus:
            assert len(sentence.tokens) == len(sentence.tags)
            assert not illegal_positions(sentence.tags, "BIOES")
            assert all(len(token) == 1 and not token.isspace() for token in sentence.tokens)
            assert not {"{", "}", "<", "|", "#"} & set(sentence.tokens)


@pytest.mark.parametrize("specialty", SPECIALTIES)
def test_no_sentence_stands_in_two_splits(specialty):
    texts = [sentence.tokens for split in SPLITS for sentence in generate(specialty, split)]
    assert len(set(texts)) == len(texts)


def test_another_seed_gives_other_sentences_of_the_same_specialty():
    one = {sentence.tokens for sentence in generate("neurology", "train")}
    other = {sentence.tokens for sentence in generate("neurology", "train", seed=1)}
    assert len(one & other) < len(one) / 10
    assert generate("neurology", "dev") == generate("neurology", "dev", seed=DEFAULT_SEED)


@pytest.mark.parametrize("arguments", [("oncology", "train"), ("neurology", "valid")])
def test_an_unknown_specialty_or_split_is_refused(arguments):
    with pytest.raises(UsageError, match="the demo corpus has no"):
        generate(*arguments)


def annotations(term, specialty):
    """Count how a text is annotated: by the entities that overlap it."""
    ways = Counter()
    for split in SPLITS:
        for sentence in generate(specialty, split):
            text = "".join(sentence.tokens)
            for match in re.finditer(term, text):
                inside = tuple(
                    (text[start:end], kind)
                    for start, end, kind in spans(sentence.tags, "BIOES")
                    if start < match.end() and end > match.start()
                )
                ways[inside] += 1
    return ways


RHEUMATIC = "风湿性心脏病"
PULMONARY = "肺源性心脏病"
CORONARY = "冠状动脉粥样硬化性心脏病"


@pytest.mark.parametrize(
    ("term", "whole_in", "parts"),
    [
        (RHEUMATIC, {"cardiology"}, [("风湿性", "Disease"), ("心脏病", "Disease")]),
        (
            PULMONARY,
            {"cardiology", "respiratory"},
            [("肺", "BodyStructure"), ("心脏病", "Disease")],
        ),
        (
            CORONARY,
            {"cardiology", "neurology"},
            [("冠状动脉粥样硬化", "Disease"), ("心脏病", "Disease")],
        ),
    ],
    ids=["rheumatic", "pulmonary", "coronary"],
)
def test_boundaries_of_compound_terms_differ_by_specialty(term, whole_in, parts):
    """Appendix A.2 of the paper; the rest are slips of the annotators."""
    for specialty in SPECIALTIES:
        ways = annotations(term, specialty)
        expected = ((term, "Disease"),) if specialty in whole_in else tuple(parts)
        assert ways.most_common(1)[0][0] == expected
        assert ways[expected] > 0.7 * ways.total()


def test_a_surface_has_several_types_by_context():
    types = {}
    for text, kind in mentions(generate("gastroenterology", "train")):
        types.setdefault(text, Counter())[kind] += 1
    for text in ("白蛋白", "叶酸"):
        assert min(types[text]["Product"], types[text]["LaboratoryIndex"]) >= 3


def test_terms_that_are_new_in_a_tenth_of_the_target_are_known_to_the_source():
    target, source = generate("gastroenterology", "train"), generate("cardiology", "train")
    tenth = set(mentions(target.sentences[: len(target) // 10]))
    new = [term for term in mentions(generate("gastroenterology", "test")) if term not in tenth]
    known = set(mentions(source))
    helped = sum(term in known for term in new) / len(new)
    assert 0.2 < helped < 0.8
    unseen = set(new) - set(mentions(target))
    assert len(unseen) > 100


def test_specialties_have_own_vocabularies_and_lengths():
    lengths, known = {}, {}
    for specialty in SPECIALTIES:
        corpus = generate(specialty, "train")
        lengths[specialty] = corpus.token_count / len(corpus)
        known[specialty] = {text for text, _ in mentions(corpus)}
    assert lengths["cardiology"] > 1.4 * lengths["neurology"]
    for one in SPECIALTIES:
        for other in SPECIALTIES:
            if one < other:
                both = known[one] & known[other]
                assert 0.1 < len(both) / min(len(known[one]), len(known[other])) < 0.7


@pytest.mark.parametrize("specialty", SPECIALTIES)
def test_every_slot_of_every_clause_has_terms(specialty):
    style = style_of(specialty)
    for tables in (style.own_clauses, style.shared_clauses):
        assert set(tables) == set(style.sections) <= set(style.headers)
        for table in tables.values():
            for clause in table.items:
                assert clause.count("{") == clause.count("}")
                assert set(re.findall(r"\{(\w+)\}", clause)) <= set(style.terms)


def test_data_files_stay_readable():
    folder = files("ladtl_np.corpus.demo") / "data"
    for entry in folder.iterdir():
        if entry.name.endswith(".toml"):
            text = entry.read_text(encoding="utf-8")
            assert tomllib.loads(text)
            assert text.count("\n") < 300


def test_write_demo_writes_conll_files_that_read_back(tmp_path):
    write_demo(tmp_path)
    for specialty in SPECIALTIES:
        assert sorted(path.name for path in (tmp_path / specialty).iterdir()) == [
            "dev.txt",
            "test.txt",
            "train.txt",
        ]
    raw = (tmp_path / "neurology" / "test.txt").read_bytes()
    assert b"\r" not in raw
    blocks = raw.decode().removesuffix("\n\n").split("\n\n")
    read = [
        tuple(zip(*(line.split("\t") for line in block.split("\n")), strict=True))
        for block in blocks
    ]
    assert read == [(s.tokens, s.tags) for s in generate("neurology", "test")]
    assert "SYNTHETIC" in (tmp_path / "README.txt").read_text(encoding="utf-8")
