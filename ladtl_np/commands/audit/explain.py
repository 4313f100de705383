"""``ladtl audit explain``: what a model does with one sentence."""

from __future__ import annotations

from typing import Any

import click

from ladtl_np.commands.support.auditing import (
    audit_options,
    check_page,
    model_file,
    present,
    tolerance_option,
)
from ladtl_np.commands.support.command import Command, refuse_without_effect
from ladtl_np.commands.support.formats import (
    constrained_option,
    domain_option,
    embeddings_option,
    vocabulary_key_option,
)
from ladtl_np.commands.support.one_sentence import of_corpus, of_text
from ladtl_np.commands.support.reading import (
    READING,
    corpus_options,
    read_options,
    refuse_idle_reading,
)
from ladtl_np.errors import DataError, UsageError
from ladtl_np.model.vocabulary_key import named_key
from ladtl_np.printable import LONG, shown

__all__ = ["explain"]

_NOTE = "This page holds text of the data. Keep it where the data are kept."


@click.command(cls=Command)
@click.argument("model")
@click.argument("corpus", required=False)
@click.option("--text", metavar="TEXT", help="Text to explain; - reads it from standard input.")
@click.option(
    "--sentence",
    type=click.IntRange(min=1),
    metavar="N",
    help="Which sentence of the text, of CORPUS or of its line.  [default: the first]",
)
@click.option(
    "--line",
    type=click.IntRange(min=1),
    metavar="N",
    help="The sentence of CORPUS that this line of it belongs to.",
)
@domain_option
@constrained_option
@vocabulary_key_option
@embeddings_option
@corpus_options
@tolerance_option
@audit_options
def explain(
    model: str,
    corpus: str | None,
    text: str | None,
    sentence: int | None,
    line: int | None,
    domain: Any,
    constrained: bool | None,
    vocabulary_key: str | None,
    embeddings: str | None,
    tolerance: float,
    out: str | None,
    overwrite: bool,
    as_json: bool,
    **options: Any,
) -> None:
    r"""Explain what MODEL does with one sentence, of a text or of CORPUS.

    Shows the lattice with the marginals of tags and transitions, the scores of the predicted path
    and of gold by token, both domains' heads, and the gates of the BiLSTM. Each number is computed
    twice, by the reference and by the kernels, and they are compared.

    MODEL is a model file or a run folder. Text is cut as the model's training data were. CORPUS is
    annotated, in the tags of --domain. Unlike other audits, this one prints text of the data.

    \b
    Examples:
      ladtl audit explain run --text "Chest pain since two days."
      ladtl audit explain run test.txt --sentence 3 --out explain.html
      ladtl audit explain run test.jsonl --line 12 --unconstrained --json
    """
    from ladtl_np.audit.explain import explain_sentence
    from ladtl_np.commands.support.models import load

    if (text is None) == (corpus is None):
        raise UsageError("give CORPUS, an annotated file, or --text, and not both")
    path = model_file(model)
    files = [path, corpus, vocabulary_key, embeddings]
    check_page(out, [file for file in files if file], overwrite=overwrite)
    reading = read_options(**options)
    if corpus is None:
        refuse_without_effect(["line", *READING], "with --text", "name a corpus")
    else:
        refuse_idle_reading([corpus], reading)
    held = load(path, named_key(vocabulary_key), embeddings)
    if corpus is None:
        chosen = of_text(text or "", held, sentence)
    else:
        chosen = of_corpus(corpus, reading, sentence, line)
    how = {"domain": domain, "constrained": constrained, "tolerance": tolerance}
    try:
        audits = explain_sentence(held, chosen.tokens, chosen.gold, **how)
    except DataError as error:
        raise DataError(f"{chosen.name}: {error}") from None
    subject = f"{shown(model, LONG)}: {chosen.name}"
    present(audits, subject=subject, out=out, overwrite=overwrite, as_json=as_json, note=_NOTE)
