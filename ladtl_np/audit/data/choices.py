"""What was chosen and left open: steps, seeds, the sample, labels, decoding."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import mean, stdev

from ladtl_np.audit.data.evidence import Evidence
from ladtl_np.audit.data.files import equal
from ladtl_np.audit.data.leakage import used_sentences
from ladtl_np.audit.outcome import Line, Verdict, noted
from ladtl_np.corpus.inspection import illegal_places
from ladtl_np.corpus.labels import TagSet, listed, unmatched_types
from ladtl_np.corpus.unknown import count_unknown
from ladtl_np.errors import DataError, LadtlError, UsageError
from ladtl_np.model.tag_names import way_of
from ladtl_np.options.config import Config, differing_options, parse_config, read_config
from ladtl_np.printable import LONG, shown
from ladtl_np.runs.found import FoundRun
from ladtl_np.runs.manifest import DEV, Manifest
from ladtl_np.runs.names import BEST, CONFIG, MANIFEST, METRICS
from ladtl_np.runs.run import read_label_maps
from ladtl_np.runs.tables import read_table
from ladtl_np.training.source_domains import maps_of

__all__ = ["choice_lines", "label_lines"]

_CHANCE = {"seed", "data.sample_seed"}
"""Options in which runs of one task and method may differ."""
_MOST_BESIDE = 1_000  # folders beside the run that are looked at


def choice_lines(evidence: Evidence) -> Iterator[Line]:
    """Steps, seeds, the target's sample, and decoding."""
    yield from _step_lines(evidence)
    yield _seed_line(evidence)
    yield from _sample_lines(evidence)
    config = evidence.config
    yield noted("decoding", way_of(config.model.scheme.upper(), config.decoding.constrained))


def _step_lines(evidence: Evidence) -> Iterator[Line]:
    """The best step against metrics.tsv, and whether scores were still rising."""
    manifest, column = evidence.manifest, "dev_f1"
    if evidence.config.training.select_by == "strict":
        column = "dev_strict_f1"
    try:
        rows = [row for _, row in read_table(evidence.folder / METRICS)]
        scores = {int(row["step"]): float(row[column]) for row in rows if row.get(column)}
    except (DataError, ValueError, KeyError) as error:
        yield Line(f"steps in {METRICS}", f"cannot be read: {error}", "to be read", "failed")
        return
    if not scores:
        verdict: Verdict = "failed" if DEV in (manifest.results or {}) else "noted"
        yield Line(f"best step in {METRICS}", "no development scores", "", verdict)
        return
    told, highest = manifest.best_step, max(scores.values())
    best = [step for step, f1 in scores.items() if f1 == highest]  # several, as they are rounded
    yield Line(
        f"best step in {METRICS} and {MANIFEST}",
        " or ".join(map(str, best)),
        f"{told}",
        "passed" if told in best else "failed",
    )
    results = (manifest.results or {}).get(DEV)
    if results is not None and told in scores:
        reading = "strict" if column == "dev_strict_f1" else "conlleval"
        now = getattr(results, reading).overall.f1
        rounded = float(f"{now:.6g}")  # as the table is written
        differences = [] if rounded == scores[told] else [f"{scores[told]} and {rounded}"]
        yield equal(f"development F1 in {METRICS} and {MANIFEST}", differences, f"{100 * now:.2f}")
    if len(scores) > 1 and told == max(scores):
        yield noted("the best step is the last", f"{told}", "F1 may still have been rising")


def _seed_line(evidence: Evidence) -> Line:
    """Other runs beside this one that differ in their seed alone."""
    config, manifest = evidence.written, evidence.manifest
    found = {config.seed: manifest}
    places = sorted(evidence.folder.resolve().parent.glob(f"*/{MANIFEST}"))[:_MOST_BESIDE]
    for place in places:
        other = _beside(place.parent)
        if (
            other is not None
            and _same_but_chance(config, other[0])
            and _same_data(manifest, other[1])
        ):
            found.setdefault(other[0].seed, other[1])
    check = "seeds of this task and method"
    if len(found) == 1:
        return noted(check, "1", "one seed says little: others give other scores")
    told = []
    for name in manifest.tests():
        results = [(other.results or {}).get(name) for other in found.values()]
        f1 = [100 * scores.f1("conlleval") for scores in results if scores is not None]
        if len(f1) > 1:
            told.append(f"{name} {mean(f1):.2f} ± {stdev(f1):.2f}")
    return noted(check, f"{len(found)}", f"F1, mean and deviation: {'; '.join(told)}")


def _beside(folder: Path) -> tuple[Config, Manifest] | None:
    """Options and manifest of a finished run; None where it is none."""
    try:
        run = FoundRun.at(folder)
        manifest = run.finished()
        config = parse_config(read_config(run.folder / CONFIG))
    except (LadtlError, OSError):
        return None
    return None if manifest is None else (config, manifest)


def _same_but_chance(one: Config, other: Config) -> bool:
    return {key for key, _, _ in differing_options(one, other)} <= _CHANCE


def _same_data(one: Manifest, other: Manifest) -> bool:
    hashes = ([(e.role, e.sha256) for e in manifest.data] for manifest in (one, other))
    return len({tuple(pairs) for pairs in hashes}) == 1


def _sample_lines(evidence: Evidence) -> Iterator[Line]:
    """Which sentences were trained on, drawn again and counted."""
    data, seed = evidence.config.data, evidence.config.seed
    drawn_by = seed if data.sample_seed < 0 else data.sample_seed
    for held in evidence.of("source", "target"):
        if held.corpus is None:
            continue
        used = len(used_sentences(evidence.config, held))
        share = data.source_fraction if held.role == "source" else data.target_fraction
        found = f"{used:,} of {len(held.corpus):,} sentences"
        detail = f"a share of {share:g}, by seed {drawn_by}" if share < 1 else ""
        if held.role == "target" and data.target_chosen:
            detail = f"chosen by {shown(data.target_chosen, LONG)}"
        check = f"the {evidence.numbered(held)}'s sample"
        if held.role == "target":
            told = evidence.manifest.target_sentences_used
            verdict: Verdict = "passed" if used == told else "failed"
            yield Line(check, found, f"{told:,} in {MANIFEST}", verdict, detail)
        else:
            yield noted(check, found, detail)


def label_lines(evidence: Evidence) -> Iterator[Line]:
    """The label map, types without a partner, illegal tags and unknown tokens."""
    yield from _map_lines(evidence)
    for held in evidence.held:
        if held.corpus is not None:
            count, _ = illegal_places(held.corpus)
            if count:
                told = f"{count:,} in {held.corpus.scheme}, left as found"
                yield noted("illegal tags", told, held.name)
    yield from _unknown_lines(evidence)


def _map_lines(evidence: Evidence) -> Iterator[Line]:
    model, config = evidence.model, evidence.config
    try:
        maps = read_label_maps(config)
    except (DataError, UsageError) as error:
        yield Line("label map", str(error), "to be read", "failed", config.data.label_map)
        return
    if model is None:
        return
    sources = evidence.of("source")
    if len(sources) == len(evidence.config.data.sources()) and not config.data.concatenate:
        used = [used_sentences(config, held) for held in sources]
        try:
            maps = maps_of(used, maps) if used else maps
        except DataError as error:
            yield Line("types of the label map", str(error), "in the corpora", "failed")
            return
    own = [dict(model.label_map), *(dict(head.label_map.pairs) for head in model.more_sources)]
    given = [dict(one.pairs) for one in maps[: len(own)]]
    differences = [] if given == own else ["other pairs"]
    fine = f"{sum(map(len, own))} pairs of types"
    yield equal(f"label map and {BEST}", differences, fine, config.data.label_map)
    target = next(iter(evidence.of("target")), None)
    if target is None:
        return
    types = TagSet.from_corpora([used_sentences(config, target)])
    for held, label_map in zip(sources, maps, strict=False):
        try:
            ours = TagSet.from_corpora([used_sentences(config, held)])
            alone = unmatched_types(ours, types, label_map)
        except DataError as error:
            yield Line("types of the label map", str(error), "in the corpora", "failed")
        else:
            for role, names in zip((evidence.numbered(held), "target"), alone, strict=True):
                if names:
                    yield noted(f"types of the {role} alone", f"{len(names)}", listed(names))
    for held in evidence.of("dev", "test"):
        if held.corpus is not None:
            there = set(TagSet.from_corpora([held.corpus]).types)
            if missing := sorted(there - set(types.types)):
                told = f"{evidence.short(held)}, all missed: {listed(missing)}"
                check = "types that no training sentence of the target has"
                yield noted(check, f"{len(missing)}", told)


def _unknown_lines(evidence: Evidence) -> Iterator[Line]:
    """Tokens that the model does not know; of the development corpus as it tells them."""
    model = evidence.model
    if model is None or (model.vocabulary.lock is not None and model.vocabulary.lock.key is None):
        return
    for held in evidence.of("dev", "test"):
        if held.corpus is None:
            continue
        now = count_unknown(model.vocabulary, held.corpus)
        found = f"{100 * now.share:.1f} % of {now.tokens:,}"
        if held.role == "dev" and model.dev_unknown is not None:
            told = f"{model.dev_unknown.unknown:,} in {BEST}"
            verdict: Verdict = "passed" if now == model.dev_unknown else "failed"
            yield Line(
                "unknown tokens", f"{now.unknown:,}, {found}", told, verdict, evidence.short(held)
            )
        else:
            yield noted("unknown tokens", found, evidence.short(held))
