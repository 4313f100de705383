"""Draw docs/images/tagged.svg: a few tagged sentences as a terminal shows them.

``python docs/tagged_picture.py MODEL TEXT``, with the model and the text of ``make demo``.
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from ladtl_np.commands.support.highlight import Highlighter
from ladtl_np.corpus.raw import iterate_raw
from ladtl_np.corpus.schemes import spans
from ladtl_np.model.file import load_model
from ladtl_np.model.tagging import Tagger


def picture(model_path: str, text_path: str) -> str:
    """The drawing, without the fonts that rich would load from outside."""
    model = load_model(model_path)
    with Path(text_path).open("rb") as stream:
        lines = list(iterate_raw(stream, model.profile, text_path, known=model.vocabulary.knows))
    show = Highlighter(model.target_tags.types, coloured=True)
    console = Console(record=True, width=118, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(show.legend()))
    for line, tags in zip(lines, Tagger(model).tag(r.tokens for r in lines), strict=True):
        shown = show.line(line, line.character_spans(spans(tags, "BIOES")))
        console.print(Text.from_ansi(shown.rstrip("\n")))
    drawing = console.export_svg(title="ladtl tag --to terminal (synthetic text)")
    drawing = re.sub(r"@font-face \{.*?\}", "", drawing, flags=re.DOTALL)
    return "\n".join(line.rstrip() for line in drawing.splitlines()) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("images").mkdir(exist_ok=True)
    drawing = picture(sys.argv[1], sys.argv[2])
    Path(__file__).with_name("images").joinpath("tagged.svg").write_text(drawing, "utf-8")
