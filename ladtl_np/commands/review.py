"""``ladtl review``: one offline page on which a person corrects entities."""

from __future__ import annotations

from typing import Any

import click

from ladtl_np.commands.support.command import Command, refuse_without_effect
from ladtl_np.commands.support.formats import DECODING, decoding_of, decoding_options, tell, warn
from ladtl_np.commands.support.reading import (
    corpus_options,
    read_options,
    refuse_idle_reading,
)
from ladtl_np.commands.support.review_inputs import (
    annotated_sentences,
    is_model,
    notes_in,
    tagged_sentences,
)
from ladtl_np.commands.support.streams import check_output, open_output
from ladtl_np.commands.support.tag_options import Source, TagOptions
from ladtl_np.corpus.cutting.profile import SentenceMode
from ladtl_np.corpus.formats.reading import ReadOptions, Sentences
from ladtl_np.corpus.lines import page_name
from ladtl_np.corpus.tally import Remark
from ladtl_np.errors import DataError, UsageError
from ladtl_np.pages.review import MEASURES, Measure, ReviewSentence, build_page
from ladtl_np.printable import LONG, counted, shown

__all__ = ["command"]

MANY = 5_000
"""Sentences from which a page is slow to open."""
_TAGS = ("tag_column", "scheme", "rename", "ends", "fragments", "overlaps", "repair")
"""Options that say how entities of files are read, which a model does not need."""


def _types(context: click.Context, parameter: click.Parameter, value: str) -> list[str]:
    return [name.strip() for name in value.split(",") if name.strip()]


@click.command(name="review", cls=Command)
@click.argument("places", nargs=-1, required=True, metavar="[MODEL_OR_RUN] NOTES...")
@click.option("--out", default="review.html", show_default=True, help="The page; - is stdout.")
@click.option("--overwrite", is_flag=True, help="Replace a page that is there.")
@click.option("--title", help="Heading of the page.  [default: what is reviewed]")
@click.option(
    "--types",
    default="",
    metavar="TYPE,TYPE,...",
    callback=_types,
    help="Types to choose from before all others, in the order of the keys 1 to 9.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="The N least certain sentences only.",
)
@click.option(
    "--by",
    type=click.Choice(tuple(MEASURES)),
    default="span",
    show_default=True,
    help="Which sentences are the least certain: by their least probable span, by all tags of the "
    "sentence together, or by the entropy of its tag sequences.",
)
@decoding_options
@corpus_options
def command(
    places: tuple[str, ...],
    out: str,
    overwrite: bool,
    title: str | None,
    types: list[str],
    limit: int | None,
    by: Measure,
    **options: Any,
) -> None:
    r"""Write one page on which you correct entities by keyboard: of NOTES, as a model finds them.

    Without a model, the entities that the files have are reviewed; with one, they are left aside.
    NOTES are files and folders of any format.

    The page is one file that loads nothing and sends nothing. It shows the least certain sentences
    first, keeps its state in the browser, and exports JSONL that train reads. It holds the text:
    keep it where the data are kept.

    \b
    Examples:
      ladtl review run/ notes/ --out review.html
      ladtl review run/best.safetensors notes.txt letters.jsonl --types Drug,Symptom,Test
      ladtl review annotated.jsonl --out second-look.html
    """
    decoding = decoding_of(options)
    reading = read_options(**options)
    model, notes = (places[0], places[1:]) if is_model(places[0]) else (None, places)
    if not notes:
        raise UsageError("name notes after the model: files or folders")
    sources = notes_in(notes, annotated=model is None)
    if not sources:
        raise UsageError("there is no file in these folders; hidden ones are left out")
    remarks: list[Remark] = []
    if model is None:
        refuse_without_effect(DECODING, "without a model", "name one before the notes")
        refuse_idle_reading([source.path for source in sources], reading)
        check_output(out, [source.path for source in sources], overwrite=overwrite)
        found = [*annotated_sentences(sources, reading, by, remarks)]
        kinds: list[str] = []
    else:
        refuse_without_effect(_TAGS, "with a model", "review the files' own entities without one")
        found, kinds = _by_model(model, sources, reading, decoding, by, remarks, (out, overwrite))
    tell(remarks)
    if not found:
        raise DataError("the notes hold no sentence")
    chosen = found if limit is None else _least_certain(found, limit)
    if len(chosen) > MANY:
        warn(f"{len(chosen):,} sentences are many for one page; --limit {MANY} keeps it quick")
    page = build_page(
        chosen,
        title=title or _title(notes, model),
        first=types,
        others=kinds,
        measure=MEASURES[by] if any(one.certainty is not None for one in chosen) else "",
    )
    with open_output(out, overwrite=overwrite) as put:
        put(page)
    entities = sum(len(one.entities) for one in chosen)
    told = f"{counted(len(chosen), 'sentences')} with {counted(entities, 'entities')}"
    click.echo(f"{shown(out, LONG)}: {told}", err=True)


def _by_model(
    place: str,
    sources: list[Source],
    reading: ReadOptions,
    decoding: dict[str, Any],
    by: Measure,
    remarks: list[Remark],
    output: tuple[str, bool],
) -> tuple[list[ReviewSentence], list[str]]:
    """Tag the notes; sentences, and the types of the model."""
    from ladtl_np.commands.support.auditing import model_file
    from ladtl_np.commands.support.models import load
    from ladtl_np.commands.support.tagging import make_tagger

    asked = TagOptions(
        model=model_file(place),
        kind=None if reading.format == "auto" else reading.format,
        style="",
        scheme="",
        mode=None if reading.tokens == "auto" else reading.tokens,
        sentences=_sentence_mode(reading.sentences),
        reading=reading,
        **decoding,
    )
    files = [*(source.path for source in sources), *asked.files()]
    check_output(output[0], files, overwrite=output[1])
    tagger = make_tagger(load(*asked.loading()), asked)
    found = [*tagged_sentences(sources, tagger, asked, by, remarks)]
    return found, [*tagger.decoder.tags.types]


def _sentence_mode(wanted: Sentences) -> SentenceMode | None:
    if wanted == "whole":
        raise UsageError("--sentences whole is for annotated files; a model wants lines or rules")
    return None if wanted == "auto" else wanted


def _least_certain(sentences: list[ReviewSentence], limit: int) -> list[ReviewSentence]:
    """The least certain ones, in document order; those of which nothing is known come last."""
    ranked = sorted(
        range(len(sentences)),
        key=lambda n: (sentences[n].certainty is None, sentences[n].certainty or 0.0, n),
    )
    return [sentences[n] for n in sorted(ranked[:limit])]


def _title(notes: tuple[str, ...], model: str | None) -> str:
    """What is reviewed."""
    names = ", ".join(map(page_name, notes[:3]))
    names += f" and {len(notes) - 3} more" if len(notes) > 3 else ""
    return f"Review of {names}" + (f", tagged by {page_name(model)}" if model else "")
