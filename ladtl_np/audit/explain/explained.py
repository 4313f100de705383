"""One sentence under a model, computed by the reference and by the kernels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ladtl_np.audit.explain.encoding import (
    Encoding,
    Words,
    kernel_encoding,
    reference_encoding,
    words_of,
)
from ladtl_np.audit.explain.heads import Head, KernelHead, kernel_head, reference_head
from ladtl_np.corpus.labels import matched_tags
from ladtl_np.corpus.schemes import converted
from ladtl_np.errors import UsageError
from ladtl_np.model.file import Model
from ladtl_np.model.network import TARGET, source_head, source_number
from ladtl_np.model.tagging import make_decoder
from ladtl_np.printable import shown
from ladtl_np.shapes import Integers

__all__ = ["LONGEST", "Explained", "explained"]

LONGEST = 512
"""Tokens of a sentence at most: its page grows with them, and memory with tokens times tags^2."""

LONGEST_TOKEN = 30
"""Characters of a token that tables show."""


@dataclass(frozen=True, slots=True)
class Explained:
    """Everything that is told of a sentence.

    Attributes
    ----------
    words
        The sentence.
    encoding, by_kernels
        Gates and hidden states, by the reference and by the kernels.
    heads, kernel_heads
        Of the chosen domain first; beside the target that of the first source.
    matched
        Numbers of the tags of both heads that mean the same: source, target.
    decoded
        What tagging gives with the model as it is, in its own precision.
    constrained
        Whether that is the best legal path.
    left_out
        Whether the model has an emission bias that its options leave out of decoding.
    gap
        What stands between tokens that are shown in a row.
    """

    words: Words
    encoding: Encoding
    by_kernels: Encoding
    heads: list[Head]
    kernel_heads: list[KernelHead]
    matched: tuple[Integers, Integers]
    decoded: tuple[str, ...]
    constrained: bool
    left_out: bool
    gap: str

    def text(self, start: int, end: int) -> str:
        """Tokens in a row, each safe to show and not too long."""
        return self.gap.join(shown(token, LONGEST_TOKEN) for token in self.words.tokens[start:end])

    @property
    def shown_tokens(self) -> list[str]:
        """Tokens for tables: short, and unknown ones marked."""
        pairs = zip(self.words.tokens, self.words.known, strict=True)
        return [
            shown(token, LONGEST_TOKEN) + ("" if known else " (unknown)") for token, known in pairs
        ]


def explained(
    model: Model,
    tokens: Sequence[str],
    gold: Sequence[str] | None,
    *,
    domain: str,
    constrained: bool | None,
) -> Explained:
    """Compute everything; arguments and errors are those of `explain_sentence`."""
    if not 0 < len(tokens) <= LONGEST:
        raise UsageError(
            f"a sentence to explain has 1 to {LONGEST} tokens, this one has {len(tokens):,}; "
            "choose another, or cut it"
        )
    decoder = make_decoder(model, domain=domain, constrained=constrained, own_scheme=True)
    decoded = decoder.tag([tokens])[0]
    words, bias = words_of(model, tokens), decoder.emission_bias
    encoding, by_kernels = reference_encoding(words), kernel_encoding(words)
    number, own_tags = source_number(decoder.head) or 0, decoder.tags
    matched, tags = _matched(model, number), {TARGET: model.target_tags}
    tags |= {source_head(number): head.tags for head in model.sources[number : number + 1]}
    numbers = None
    if gold is not None:
        numbers = own_tags.encode(converted(gold, "BIOES", own_tags.scheme)).tolist()
    heads = []
    for name in sorted(tags, key=lambda name: name != decoder.head):
        annotated = numbers if name == decoder.head else _translated(numbers, matched, name)
        how = {"constrained": decoder.constrained, "bias": bias}
        heads.append(
            reference_head(words, encoding.hidden, name, tags[name], gold=annotated, **how)
        )
    return Explained(
        words=words,
        encoding=encoding,
        by_kernels=by_kernels,
        heads=heads,
        kernel_heads=[kernel_head(words, by_kernels.hidden, head, bias=bias) for head in heads],
        matched=matched,
        decoded=decoded,
        constrained=decoder.constrained,
        left_out=model.network.architecture.emission_bias and not bias,
        gap="" if model.token_mode == "characters" else " ",
    )


def _matched(model: Model, number: int) -> tuple[Integers, Integers]:
    """Tags of a source and of the target that mean the same; of a shared CRF these are its rows."""
    if not model.sources:
        none = np.zeros(0, np.int64)
        return none, none
    source = model.sources[number]
    if model.network.architecture.shared_crf:
        same = np.arange(len(source.tags))
        return same, same
    return matched_tags(source.tags, model.target_tags, source.label_map)


def _translated(
    numbers: list[int] | None, matched: tuple[Integers, Integers], name: str
) -> list[int] | None:
    """Gold tags of one head in the numbers of the other; None if one of them has no partner."""
    if numbers is None:
        return None
    source, target = (side.tolist() for side in matched)
    pairs = zip(source, target, strict=True) if name == TARGET else zip(target, source, strict=True)
    partner = dict(pairs)
    found = [partner[number] for number in numbers if number in partner]
    return found if len(found) == len(numbers) else None
