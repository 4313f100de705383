"""What a training says before its first step: what is trained on what."""

from __future__ import annotations

from collections.abc import Iterator

from ladtl_np.arrays.limits import told_size
from ladtl_np.commands.support.cost import warnings_of_cost
from ladtl_np.commands.support.vectors_told import vector_lines
from ladtl_np.options.input_file import Role
from ladtl_np.printable import LONG, counted, shown
from ladtl_np.runs.run import describe
from ladtl_np.training.prepared import Corpora, Prepared

__all__ = ["opening_lines"]


def opening_lines(prepared: Prepared, corpora: Corpora) -> list[str]:
    """What is trained on what, before the first step."""
    config, network = prepared.config, prepared.network
    lines = [f"Method {config.method}: {prepared.method.summary}."]
    unknown = {role: iter(counts) for role, counts in prepared.unknown.items()}
    trained = _used(prepared, corpora)
    for role, corpus in corpora.roles():
        facts = describe(role, corpus)
        missed = next(unknown.get(role, iter(())), None)
        share = "" if missed is None else f" ({100 * missed.share:.1f} % unknown)"
        count = next(trained.get(role, iter(())), None)
        used = "" if count in (None, len(corpus)) else f", {count:,} of them used"
        lines.append(
            f"  {role:<6} {shown(corpus.name, LONG)}: {counted(len(corpus), 'sentences')}{used}, "
            f"{counted(facts['tokens'], 'tokens')}{share}, {corpus.scheme}"
        )
    if prepared.vectors is not None:
        lines += vector_lines(prepared.vectors)
    if prepared.key is not None:
        lines.append("  words are hashed in the model; tagging needs its key as well")
    if corpora.dev is None:
        lines.append("  no --dev: the model after the last step is kept")
    decoding = "legal tag sequences only" if config.decoding.constrained else "unconstrained"
    size = network.embedding.size + network.weights.flat.size
    lines += [prepared.match, f"{size:,} parameters; decoding: {decoding}."]
    if prepared.memory is not None:
        lines.append(f"Memory: up to {told_size(prepared.memory.total)}.")
    return lines + [f"warning: {told}" for told in warnings_of_cost(prepared)]


def _used(prepared: Prepared, corpora: Corpora) -> dict[Role, Iterator[int]]:
    """Sentences of each training corpus that are trained on; not of sources that were joined."""
    counts = [len(sentences) for _, sentences in prepared.trained_sources()]
    if not counts:
        counts = [0] * len(corpora.sources)
    told = counts if len(counts) == len(corpora.sources) else []
    return {"source": iter(told), "target": iter([len(prepared.target)])}
