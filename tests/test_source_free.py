"""A source as a file without its text: what is in it, what is not, and training towards it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Invoke, write_corpus
from gradient_checks_objective import check_objective
from objectives import objective_of
from shapes_at_random import random_batch, random_domains, random_network
from small_corpora import small_config

from ladtl_np.arrays.workers import Workers
from ladtl_np.audit import check_mmd
from ladtl_np.audit.subject import _of_prepared
from ladtl_np.audit.subject_notes import STANDING_IN
from ladtl_np.corpus.hashing import HashKey
from ladtl_np.corpus.labels import LabelMap
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.errors import DataError, ModelFileError, UsageError
from ladtl_np.experiment.expansion import expand
from ladtl_np.experiment.file import parse_experiment
from ladtl_np.layers.mmd_variances import REFERENCE_VARIANCES
from ladtl_np.layers.random_features import Sketch, random_frequencies, seen_variances
from ladtl_np.model.container import pack
from ladtl_np.model.file import Model, save_model
from ladtl_np.model.network import TARGET
from ladtl_np.model.source_file import SourceFile, load_source_file, source_bytes
from ladtl_np.objective import loss_and_gradients
from ladtl_np.objective.batching import domain_batch
from ladtl_np.objective.encoder import encoder_forward
from ladtl_np.objective.terms import SourceTie
from ladtl_np.reference.random_features import mean_features_forward, sketched_mmd_forward
from ladtl_np.runs.checkpoint import made_of
from ladtl_np.runs.records import sources_record
from ladtl_np.training.encoding import encode_corpus
from ladtl_np.training.events import Step
from ladtl_np.training.export_options import ExportOptions
from ladtl_np.training.preparation import Corpora, prepare
from ladtl_np.training.source_export import LOUDEST, export_source
from ladtl_np.training.state import capture, restore
from ladtl_np.training.trained_model import build_model
from ladtl_np.training.trainer import Trainer

CANARIES = ("Kanarienvogel", "kanari4711")
KEY = HashKey(bytes(range(32)))
MATCHED = np.array([0, 2, 1]), np.array([1, 3, 0])


def canary_corpus(corpus: Corpus) -> Corpus:
    """Sentences of a path that tells something, with words that occur nowhere else."""
    more = Sentence(CANARIES, ("O", "O"), 99)
    return replace(corpus, name="/secret/ward-7/notes.txt", sentences=(*corpus, more))


@pytest.fixture(scope="module")
def text(tiny_corpus: Corpora) -> Corpus:
    assert tiny_corpus.source is not None
    return canary_corpus(tiny_corpus.source)


def trained(text: Corpus, **changes) -> Model:
    config = small_config(method="non-transfer", **changes)
    config = small_config(
        method="non-transfer", data={"target": "/secret/ward-7/notes.txt"}, **changes
    )
    trainer = Trainer(prepare(config, Corpora(None, text)))
    for _ in trainer.run():
        pass
    return build_model(trainer.prepared, trainer.best, {}, {"target": text.sha256})


@pytest.fixture(scope="module")
def model(text: Corpus) -> Model:
    return trained(text)


@pytest.fixture(scope="module")
def source(model: Model, text: Corpus) -> SourceFile:
    return export_source(model, text, ExportOptions())


@pytest.fixture
def source_file(source: SourceFile, tmp_path: Path) -> str:
    path = tmp_path / "source.safetensors"
    path.write_bytes(source_bytes(source))
    return str(path)


def read_again(source: SourceFile, folder: Path, key: HashKey | None = None) -> SourceFile:
    (folder / "again.safetensors").write_bytes(source_bytes(source))
    if key is not None:
        (folder / "key").write_text(key.to_text(), encoding="ascii")
    return load_source_file(folder / "again.safetensors", folder / "key" if key else None)


def free_config(file: str, **changes):
    data = {"source_model": file, **changes.pop("data", {})}
    return small_config(method="source-free", data=data, **changes)


# ---- what is in the file -------------------------------------------------------------------------


def test_sketches_are_the_mean_features_of_each_tags_hidden_rows(source, model, text):
    encoded = encode_corpus(text, model.vocabulary, model.target_tags, None)
    W, found = source.frequencies(), []
    for sentence in encoded:
        batch = domain_batch([[sentence]])
        found.append(encoder_forward(model.network, batch, None, Workers())[0].astype(float))
    hidden, tags = np.concatenate(found), np.concatenate([each.tags for each in encoded])
    assert source.own.counts == tuple(np.bincount(tags, minlength=len(model.target_tags)))
    assert source.own.sketches.keys() == set(tags.tolist())
    every = np.arange(len(hidden))
    assert source.own.variances == seen_variances(hidden, every, REFERENCE_VARIANCES)
    for tag, means in source.own.sketches.items():
        wanted = mean_features_forward(hidden[tags == tag], source.own.variances, W)
        np.testing.assert_allclose(means, wanted, atol=1e-5)


def test_a_file_is_read_as_it_was_written_and_equal_ones_have_equal_bytes(
    source, model, text, tmp_path
):
    again = read_again(source, tmp_path)
    assert source_bytes(again) == source_bytes(source)
    assert source_bytes(export_source(model, text, ExportOptions())) == source_bytes(source)
    other = export_source(model, text, ExportOptions(seed=1, features=30, kernel="median"))
    assert (other.seed, other.features, len(other.own.variances)) == (1, 30, 5)
    assert not np.array_equal(other.frequencies(), source.frequencies()[:30])


def test_a_hashed_file_holds_no_word_no_character_and_no_path(text, tmp_path):
    with_characters = {"characters": {"hidden": 2, "embedding": 3}, "training": {"steps": 2}}
    model = trained(text, **with_characters)
    plain = source_bytes(export_source(model, text, ExportOptions()))
    assert all(word.encode() in plain for word in CANARIES)
    assert b"secret" not in plain
    assert b"ward-7" not in plain
    hashed = export_source(model, text, ExportOptions(key=KEY))
    content = source_bytes(hashed)
    words = {word for sentence in text for word in sentence.tokens if len(word) > 1}
    assert not [word for word in words if word.encode() in content]
    assert b"secret" not in content
    assert b'"characters": {"hashes"' in json_of(content)
    assert read_again(hashed, tmp_path, KEY).vocabulary.knows(CANARIES[0])
    assert len(hashed.vocabulary) == len(model.vocabulary)


def json_of(content: bytes) -> bytes:
    return json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"][
        "ladtl_np"
    ].encode()


def test_rare_words_are_left_out_with_their_embeddings(model, text):
    found = export_source(model, text, ExportOptions(min_count=2))
    assert not any(found.vocabulary.knows(word) for word in CANARIES)
    assert found.vocabulary.knows("x")
    row, before = found.vocabulary.index["x"], model.vocabulary.index["x"]
    np.testing.assert_array_equal(found.network.embedding[row], model.network.embedding[before])
    assert not found.vocabulary.singleton.any()


def test_noise_is_what_its_guarantee_needs_and_new_each_time(source, model, text):
    options = ExportOptions(noise=0.02, delta=1e-6, features=8)
    exact = export_source(model, text, replace(options, noise=0.0))
    first, second = (export_source(model, text, options) for _ in range(2))
    assert source.own.noise is None
    noise = first.own.noise
    assert noise is not None
    rho = len(first.own.sketches) / (2 * 0.02**2)
    assert noise.epsilon == pytest.approx(rho + 2 * np.sqrt(rho * np.log(1e6)))
    assert (noise.multiplier, noise.delta, noise.rows_a_sentence) == (0.02, 1e-6, 2)
    (tag,) = {max(first.own.sketches, key=lambda tag: first.own.counts[tag])}
    apart = first.own.sketches[tag] - second.own.sketches[tag]
    assert 0 < apart.std() < 2 * LOUDEST
    # four rows of the length sqrt(Q F) among all that are taken; two deviations by Pythagoras
    rows = sum(min(2, sum(t == "O" for t in s.tags or ())) for s in text)
    assert source.own.tags.tags[tag] == "O"
    wanted = 0.02 * 4 * np.sqrt(len(exact.own.variances) * 8) / rows * np.sqrt(2)
    assert apart.std() == pytest.approx(wanted, rel=0.3)
    loud = export_source(model, text, replace(options, noise=50.0))
    assert not loud.own.sketches


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"noise": float("nan")}, "noise must be finite and not negative, got nan"),
        ({"noise": float("inf")}, "noise must be finite"),
        ({"noise": -1.0}, "noise must be finite"),
        ({"delta": 0.0}, r"delta must lie in \(0, 1\), got 0.0"),
        ({"delta": float("nan")}, "delta must lie"),
        ({"features": -1}, "features must not be negative"),
        ({"seed": -1}, "seed must not be negative"),
        ({"min_count": 0}, "min_count must be at least 1"),
        ({"kernel": "cosine"}, "kernel wants one of reference, median, got 'cosine'"),
    ],
)
def test_options_out_of_range_are_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        ExportOptions(**given)


def test_what_cannot_be_exported_is_refused(model, text):
    projected = replace(
        model, network=replace_architecture(model.network, projection="mask"), name="m"
    )
    with pytest.raises(UsageError, match="through a map or a mask"):
        export_source(projected, text, ExportOptions())
    untagged = replace(text, sentences=(Sentence(("x",)),))
    with pytest.raises(DataError, match="need annotated sentences"):
        export_source(model, untagged, ExportOptions())


def replace_architecture(network, **changes):
    import msgspec

    return replace(network, architecture=msgspec.structs.replace(network.architecture, **changes))


# ---- training towards it -------------------------------------------------------------------------


def sketched_objective(rng, **options):
    """Two labels with a sketch and one without, of four hidden columns."""
    W, kernel = random_frequencies(rng, 5, 4), (0.2, 1.0)
    first, second = (
        Sketch(kernel, mean_features_forward(rng.normal(size=(3, 4)), kernel, W)) for _ in range(2)
    )
    objective = objective_of(matched=MATCHED, source_share=0.0, **options)
    return replace(objective, sketches=(first, None, second), frequencies=W)


def test_gradients_towards_sketches_are_those_of_the_loss():
    rng = np.random.default_rng(70)
    for bias in (False, True):
        network = random_network(rng, bias=bias)
        batch = random_batch(rng, network, (), (4, 4, 2))
        objective = sketched_objective(rng, w_mmd=0.7, w_param=0.2, w_reg=0.05)
        check_objective(rng, network, batch, objective)
        weighted = objective.tied(label_weights=np.array([0.4, 1.0, 2.0]))
        check_objective(rng, network, batch, weighted)


def test_the_distance_to_sketches_is_the_twins_label_by_label():
    rng = np.random.default_rng(71)
    network = random_network(rng)
    batch = random_batch(rng, network, (), (4, 4, 2, 3))
    objective = sketched_objective(rng)
    hidden, _ = encoder_forward(network, batch, None, Workers())
    wanted = 0.0
    for sketch, tag in zip(objective.sketches, MATCHED[1], strict=True):
        rows = hidden[batch.target.rows[batch.target.tags == tag]]
        if sketch is not None and len(rows):
            given = sketch.means, rows, sketch.variances, objective.frequencies
            wanted += sketched_mmd_forward(*given)
    assert wanted > 0
    terms, _ = loss_and_gradients(network, batch, objective)
    assert terms.mmd == pytest.approx(wanted, rel=1e-10)
    assert terms.source_nll == 0.0


def test_training_starts_from_the_source_and_leaves_its_crf_as_it_is(
    source, source_file, tiny_corpus
):
    config = free_config(source_file)
    prepared = prepare(config, replace(tiny_corpus, source=None))
    network, theirs = prepared.network, source.network
    known = {word for word in source.vocabulary.words if word in prepared.vocabulary.index}
    assert known == set(source.vocabulary.words)
    for word in known:
        row, before = prepared.vocabulary.index[word], source.vocabulary.words.index(word)
        np.testing.assert_array_equal(network.embedding[row], theirs.embedding[before])
    assert prepared.vocabulary.knows("E")  # the target's own
    assert not source.vocabulary.knows("E")
    for name in ("forward.W", "backward.U", "forward.b"):
        np.testing.assert_array_equal(network.weights[name], theirs.weights[name])
    for kind in "WA":  # all types match, so the target's starts as the source's
        for head in ("source_crf", TARGET):
            crf = theirs.weights[f"{TARGET}.{kind}"]
            np.testing.assert_array_equal(network.weights[f"{head}.{kind}"], crf)
    before = network.copy()
    trainer = Trainer(prepared)
    events = list(trainer.run())
    for kind in "WA":
        np.testing.assert_array_equal(
            trainer.network.weights[f"source_crf.{kind}"], before.weights[f"source_crf.{kind}"]
        )
    assert not np.array_equal(trainer.network.weights["forward.W"], before.weights["forward.W"])
    assert events[-1].terms.mmd > 0
    assert events[-1].terms.param > 0
    found = build_model(prepared, trainer.best, {}, {})
    assert found.source_tags == source.own.tags


def test_a_run_goes_on_and_is_audited_without_the_text(source_file, tiny_corpus):
    config = free_config(source_file, training={"steps": 8, "evaluate_every": 4})
    target = replace(tiny_corpus, source=None)
    whole, first, second = (Trainer(prepare(config, target)) for _ in range(3))
    list(whole.run())
    for event in first.run():
        if isinstance(event, Step) and event.step == 5:
            break
    restore(second, *capture(first))
    list(second.run())
    assert second.network.weights.flat.tobytes() == whole.network.weights.flat.tobytes()
    assert made_of(whole.prepared)["the source's file"].startswith("blake2b")
    prepared = whole.prepared
    subject = _of_prepared("run", prepared, whole.network, initial=None, notes=())
    assert STANDING_IN in subject.notes
    assert len(subject.source) == len(prepared.target)
    assert (subject.objective.sketches, subject.objective.frozen) == ((), ())
    with pytest.raises(UsageError, match="its source is a file without text"):
        check_mmd(subject)


def test_a_hashed_source_is_trained_with_by_its_key_alone(model, text, tiny_corpus, tmp_path):
    hashed = export_source(model, text, ExportOptions(key=KEY))
    read_again(hashed, tmp_path, KEY)
    file, target = str(tmp_path / "again.safetensors"), replace(tiny_corpus, source=None)
    with pytest.raises(UsageError, match="give the key"):
        prepare(free_config(file), target)
    config = free_config(file, vocabulary={"key": str(tmp_path / "key")})
    prepared = prepare(config, target)
    plain = prepare(free_config(write_plain(model, text, tmp_path)), target)
    assert len(prepared.vocabulary) == len(plain.vocabulary)
    for word in ("x", "E", CANARIES[0]):
        (row,), (other,) = (each.vocabulary.encode([word]) for each in (prepared, plain))
        np.testing.assert_array_equal(
            prepared.network.embedding[row], plain.network.embedding[other]
        )
    state = build_model(prepared, prepared.network, {}, {}).vocabulary.to_state()
    assert state["hashes"] == sorted(state["hashes"])
    singletons = [each.vocabulary.singleton.sum() for each in (prepared, plain)]
    assert singletons[0] == singletons[1]


def write_plain(model: Model, text: Corpus, folder: Path) -> str:
    path = folder / "plain.safetensors"
    path.write_bytes(source_bytes(export_source(model, text, ExportOptions())))
    return str(path)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"model": {"embedding": 9, "hidden": 6}}, "model.embedding=8, and the options say 9"),
        ({"model": {"embedding": 8, "hidden": 6, "scheme": "iob2"}}, "model.scheme=bioes"),
        ({"vocabulary": {"lower": True}}, "vocabulary.lower=false"),
        ({"characters": {"hidden": 3}}, "characters.hidden=0"),
    ],
)
def test_options_that_do_not_fit_the_file_are_named(changes, told, source_file, tiny_corpus):
    with pytest.raises(UsageError, match=told):
        prepare(free_config(source_file, **changes), replace(tiny_corpus, source=None))


def test_types_that_are_not_there_and_wrong_files_are_refused(
    model, source, source_file, tiny_corpus, tmp_path
):
    target = replace(tiny_corpus, source=None)
    with pytest.raises(DataError, match="Pain"):
        prepare(free_config(source_file), target, LabelMap({"Pain": "Sign"}))
    save_model(tmp_path / "model.safetensors", model)
    with pytest.raises(ModelFileError, match="a model, not a source"):
        load_source_file(tmp_path / "model.safetensors")
    content = bytearray(Path(source_file).read_bytes())
    content[-5] ^= 1
    (tmp_path / "damaged").write_bytes(content)
    with pytest.raises(ModelFileError, match="as the checksum shows"):
        load_source_file(tmp_path / "damaged")
    with pytest.raises(ModelFileError, match="other frequencies than its seed gives"):
        read_again(replace_probe(source, tmp_path), tmp_path)


def replace_probe(source: SourceFile, folder: Path) -> SourceFile:
    """The same file, whose frequencies another library would draw otherwise."""

    class Other(SourceFile):
        def frequencies(self):
            return 1.1 * super().frequencies()

    fields = {name: getattr(source, name) for name in SourceFile.__slots__}
    return Other(**fields)


# ---- several sources in one file -----------------------------------------------------------------


@pytest.fixture
def relayed(source: SourceFile, source_file: str, tiny_corpus: Corpora) -> tuple[Model, Corpus]:
    """What a second owner has: a model that learned from the first one's file, and a text."""
    second = replace(tiny_corpus.target, name="second.txt")
    trainer = Trainer(prepare(free_config(source_file), Corpora(None, second)))
    for _ in trainer.run():
        pass
    return build_model(trainer.prepared, trainer.best, {}, {}), second


@pytest.fixture
def both(source_file: str, relayed: tuple[Model, Corpus], tmp_path: Path) -> SourceFile:
    options = ExportOptions(passed_on=load_source_file(source_file))
    return read_again(export_source(*relayed, options), tmp_path)


def third_corpus(tiny_corpus: Corpora) -> Corpora:
    assert tiny_corpus.source is not None
    return Corpora(None, replace(tiny_corpus.source, name="third.txt"))


def test_a_file_passes_on_what_its_model_learned_from(source, relayed, both, tmp_path):
    model, second = relayed
    assert source_bytes(read_again(both, tmp_path)) == source_bytes(both)
    (first,) = both.passed_on
    assert (first.tags, first.counts, first.variances) == (
        source.own.tags,
        source.own.counts,
        source.own.variances,
    )
    for tag, means in source.own.sketches.items():
        np.testing.assert_array_equal(first.sketches[tag], means.astype(np.float32))
    assert both.own.tags == model.target_tags
    assert sum(both.own.counts) == second.token_count
    for kind in "WA":
        crfs = (
            both.network.weights[f"source_crf.{kind}"],
            source.network.weights[f"{TARGET}.{kind}"],
        )
        np.testing.assert_array_equal(*crfs)
    np.testing.assert_array_equal(both.frequencies(), source.frequencies())
    pruned = export_source(*relayed, ExportOptions(min_count=2, passed_on=source))
    assert all(pruned.vocabulary.knows(word) for word in CANARIES)
    assert len(pruned.vocabulary) < len(both.vocabulary)


def test_a_file_that_the_model_did_not_learn_from_is_not_passed_on(relayed, text, source):
    other = export_source(trained(text, seed=1), text, ExportOptions())
    with pytest.raises(UsageError, match="did not learn from"):
        export_source(*relayed, ExportOptions(passed_on=other))
    model, second = relayed
    alone = replace(model, source_tags=None)
    with pytest.raises(UsageError, match="did not learn from"):
        export_source(alone, second, ExportOptions(passed_on=source))


def test_a_target_is_tied_to_every_source_of_a_file(both, tiny_corpus, tmp_path):
    file = str(tmp_path / "again.safetensors")
    prepared = prepare(free_config(file), third_corpus(tiny_corpus))
    objective, network = prepared.objective, prepared.network
    tokens = [sum(domain.counts) for domain in both.domains()]
    shares = [tie.share for tie in objective.ties]
    assert shares == pytest.approx([count / sum(tokens) for count in tokens])
    assert len(objective.sketches) == sum(len(tie.matched[0]) for tie in objective.ties)
    rest = list(objective.sketches)
    for domain, tie in zip(both.domains(), objective.ties, strict=True):
        for row in tie.matched[0].tolist():
            sketch, means = rest.pop(0), domain.sketches.get(row)
            assert (sketch is None) == (means is None)
            if sketch is not None:
                np.testing.assert_array_equal(sketch.means, means)
    heads = {"source_crf": TARGET, "source2_crf": "source_crf"}
    for ours, theirs in heads.items():
        for kind in "WA":
            crfs = network.weights[f"{ours}.{kind}"], both.network.weights[f"{theirs}.{kind}"]
            np.testing.assert_array_equal(*crfs)
            assert f"{ours}.{kind}" in objective.frozen
    before = network.copy()
    trainer = Trainer(prepared)
    events = list(trainer.run())
    assert events[-1].terms.mmd > 0
    for name in objective.frozen:
        np.testing.assert_array_equal(trainer.network.weights[name], before.weights[name])
    model = build_model(prepared, trainer.best, {}, {})
    assert [head.share for head in model.sources] == pytest.approx(shares)
    equal = prepare(free_config(file, data={"shares": "equal"}), third_corpus(tiny_corpus))
    assert [tie.share for tie in equal.objective.ties] == [0.5, 0.5]
    with pytest.raises(UsageError, match="compares sentences"):
        prepare(free_config(file, data={"shares": "likeness"}), third_corpus(tiny_corpus))
    names = [each["name"] for each in sources_record(prepared)]
    assert names == ["again.safetensors", "again.safetensors (2)"]
    assert prepared.match.count("share ") == 2
    subject = _of_prepared("run", prepared, trainer.network, initial=None, notes=())
    assert any("2 sources" in note for note in subject.notes)
    assert subject.whole is not None  # whose gradients are those of all sources
    assert [len(half) for half in subject.whole.sources] == [len(prepared.target)] * 2
    assert subject.whole.network.architecture == network.architecture
    with pytest.raises(DataError, match="Pain"):
        prepare(free_config(file), third_corpus(tiny_corpus), LabelMap({"Pain": "Sign"}))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (lambda header: header.pop("passed_on"), "do not fit the arrays' sizes"),
        (lambda header: header["passed_on"].append(header["passed_on"][0]), "do not fit"),
        (lambda header: header["passed_on"][0]["counts"].pop(), "do not fit the arrays' sizes"),
        (lambda header: header["passed_on"][0]["sketched"].append(99), "tags that are not there"),
        (lambda header: header["passed_on"][0]["sketched"].pop(), "sketches2"),
        (lambda header: header["passed_on"][0].update(variances=[]), "variances"),
        (lambda header: header["passed_on"][0].update(more=1), "more"),
    ],
)
def test_parts_of_a_source_that_was_passed_on_have_to_fit(both, changes, told, tmp_path):
    content = source_bytes(both)
    length = int.from_bytes(content[:8], "little")
    whole = json.loads(content[8 : 8 + length])
    header = json.loads(whole["__metadata__"]["ladtl_np"])
    changes(header)
    arrays = {name: np.array(array) for name, array in both.network.named().items()}
    for name, domain in zip(("sketches", "sketches2"), both.domains(), strict=True):
        means = [domain.sketches[row] for row in sorted(domain.sketches)]
        arrays[name] = np.stack(means).astype(np.float32)
    (tmp_path / "odd").write_bytes(pack(arrays, json.dumps(header)))
    with pytest.raises(ModelFileError, match=told):
        load_source_file(tmp_path / "odd")


def test_shares_have_no_effect_with_one_source_in_the_file(source_file, tiny_corpus):
    config = free_config(source_file, data={"shares": "equal"})
    with pytest.raises(UsageError, match="file of one source"):
        prepare(config, replace(tiny_corpus, source=None))


def test_gradients_and_distance_towards_the_sketches_of_two_sources():
    rng = np.random.default_rng(72)
    network = random_network(rng, more_source_tags=(3,))
    batch = random_domains(rng, network, ((), (), (4, 4, 2, 3)))
    one = sketched_objective(rng, w_mmd=0.7, w_param=0.2, w_reg=0.05)
    kernel = (0.5, 2.0)
    W = one.frequencies
    assert W is not None
    third = Sketch(kernel, mean_features_forward(rng.normal(size=(5, 4)), kernel, W))
    second = np.array([2, 0]), np.array([0, 3])
    ties = (one.ties[0]._replace(share=0.25), SourceTie(second, None, 0.75))
    objective = replace(one, ties=ties, sketches=(*one.sketches, third, None))
    check_objective(rng, network, batch, objective)
    every = np.arange(4)
    alike = random_network(rng, source_tags=4, more_source_tags=(4,))
    given = random_domains(rng, alike, ((), (), (4, 2)))
    tied = tuple(tie._replace(matched=(every, every[::-1])) for tie in ties)
    exact = replace(
        objective.changed(parameter_transfer="kl", divergence_gradient="both"), ties=tied
    )
    exact = replace(exact, sketches=(one.sketches[0], None, third, None, third, None, None, third))
    check_objective(rng, alike, given, exact)
    hidden, _ = encoder_forward(network, batch, None, Workers())
    wanted = 0.0
    labels = [*MATCHED[1].tolist(), *second[1].tolist()]
    shares = [0.25] * 3 + [0.75] * 2
    for sketch, tag, share in zip(objective.sketches, labels, shares, strict=True):
        rows = hidden[batch.target.rows[batch.target.tags == tag]]
        if sketch is not None and len(rows):
            given = sketch.means, rows, sketch.variances, W
            wanted += share * sketched_mmd_forward(*given)
    terms, _ = loss_and_gradients(network, batch, objective)
    assert terms.mmd == pytest.approx(wanted, rel=1e-10)


# ---- commands ------------------------------------------------------------------------------------


def test_the_commands_from_a_model_to_a_tagger_of_the_target(
    invoke: Invoke, model: Model, text: Corpus, tiny_corpus: Corpora, tmp_path: Path
):
    save_model(tmp_path / "model.safetensors", model)
    notes, target = (
        write_corpus(tmp_path / f"{name}.txt", corpus)
        for name, corpus in (("notes", text), ("target", tiny_corpus.target))
    )
    file, key = tmp_path / "source.safetensors", tmp_path / "key"
    export = ("source", "export", tmp_path / "model.safetensors", "--out", file)
    assert "has no config.toml" in invoke(*export).stderr
    given = ("--data", notes, "--vocabulary-key", key, "--noise", "0.1", "--features", 16)
    result = invoke(*export, *given)
    assert result.exit_code == 0, result.stderr
    assert "differentially private" in result.stdout
    assert "exists; give --overwrite" in invoke(*export, *given).stderr
    assert "is read here" in invoke(*export[:3], "--out", notes, "--data", notes).stderr
    shown = json.loads(invoke("model", "privacy", file, "--json").stdout)
    assert (shown["mode"], shown["types"]) == ("hashed", {"source": ["Drug", "Sign"]})
    assert shown["options"]["noise on sketches"]["rows_a_sentence"] == 2
    assert "Drug" in invoke("model", "info", file).stdout
    assert "sound" in invoke("model", "verify", file).stdout
    train = ("train", "--source-model", file, "--target", target, "--vocabulary-key", key)
    sizes = ("--set", "model.embedding=8", "--set", "model.hidden=6", "--steps", 4)
    out = ("--out", tmp_path / "run")
    result = invoke(*train, *sizes, *out)
    assert result.exit_code == 0, result.stderr
    info = json.loads(invoke("model", "info", tmp_path / "run/best.safetensors", "--json").stdout)
    assert (info["method"], info["hashed"], info["matched_tags"]) == ("source-free", True, 9)
    manifest = json.loads((tmp_path / "run/manifest.json").read_text("utf-8"))
    assert [each["name"] for each in manifest["sources"]] == ["source.safetensors"]
    again = ("source", "export", tmp_path / "run/best.safetensors", "--data", target)
    key_of = ("--vocabulary-key", key, "--pass-on", file, "--out", tmp_path / "both")
    assert "CRF and sketches of 1 source." in invoke(*again, *key_of).stdout
    shown = json.loads(invoke("model", "info", tmp_path / "both", "--json").stdout)
    assert [each["types"] for each in shown["passed_on"]] == [["Drug", "Sign"]]
    assert "source2 types" in invoke("model", "info", tmp_path / "both").stdout
    assert "1 more source" in invoke("model", "verify", tmp_path / "both").stdout
    private = json.loads(invoke("model", "privacy", tmp_path / "both", "--json").stdout)
    assert private["options"]["source2, passed on: noise on sketches"]["rows_a_sentence"] == 2
    assert "--features has no effect" in invoke(*again, *key_of, "--features", 8).stderr
    assert "is read here" in invoke(*again, *key_of[:4], "--out", file, "--overwrite").stderr
    twice = invoke(*train, "--source-model", file, *sizes, *out, "--overwrite")
    assert "an encoder of its own" in twice.stderr
    both = invoke(*train, "--source", notes, *sizes, *out, "--overwrite")
    assert "reads no corpus of a source" in both.stderr
    without = invoke("train", "--method", "source-free", "--target", target, *out, "--overwrite")
    assert "--source-model" in without.stderr


def test_an_experiment_names_a_file_in_place_of_a_corpus(tmp_path: Path):
    table = {
        "tasks": ["a -> b"],
        "methods": ["la-dtl", "source-free"],
        "corpora": {
            "a": {"train": "a.txt", "source_model": "a.safetensors"},
            "b": {"train": "b.txt", "dev": "dev.txt"},
        },
    }
    runs = expand(parse_experiment(table, "my.toml", tmp_path), tmp_path / "out", "map.toml")
    free = {run.method: run.config.data for run in runs}["source-free"]
    assert (free.source, free.source_model) == ("", str(tmp_path / "a.safetensors"))
    assert free.label_map == "map.toml"
    del table["corpora"]["a"]["source_model"]
    with pytest.raises(UsageError, match=r"corpora.a wants source_model"):
        expand(parse_experiment(table, "my.toml", tmp_path), tmp_path / "out")
