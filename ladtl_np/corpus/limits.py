"""How large, long and deep what is read may be; the table of docs/data.md says the same.

Nobody's data comes near these. They are there so that a damaged or hostile file is refused in
seconds, in bounded memory and with a message of a few lines.
"""

from __future__ import annotations

from ladtl_np.errors import MESSAGE_CHARACTERS, bounded

__all__ = [
    "ANNOTATION_BYTES",
    "COLUMNS",
    "FINDINGS",
    "INTEGER_BITS",
    "JSON_BYTES",
    "LINE_BYTES",
    "LISTED",
    "MESSAGE_CHARACTERS",
    "NESTING",
    "RUNS",
    "TABLE_BYTES",
    "TOML_BYTES",
    "TYPE_CHARACTERS",
    "UNPACKED_BYTES",
    "UNPACKED_RATIO",
    "VECTOR_LINE_BYTES",
    "bounded",
]

MIB = 1 << 20

LINE_BYTES = 64 * MIB
"""A line of columns, text, JSONL or a list of terms."""
ANNOTATION_BYTES = 256 * MIB
"""A file of annotated texts that is read as a whole: JSON, a text of brat, a DocBin unpacked."""
COLUMNS = 1_000
"""Columns of a line."""
TYPE_CHARACTERS = 1_000
"""Characters of an entity type."""
FINDINGS = 20
"""Findings of one file after which a reader gives up."""
TOML_BYTES = 2 * MIB
"""A file of options, an experiment, a label map."""
JSON_BYTES = 16 * MIB
"""A manifest."""
TABLE_BYTES = 256 * MIB
"""metrics.tsv, results.tsv, log.jsonl."""
NESTING = 32
"""Tables and lists within each other, and parts of a dotted key, in TOML and JSON."""
INTEGER_BITS = 64
"""Bits of an integer with its sign, in options, TOML, JSON."""
VECTOR_LINE_BYTES = 4 * MIB
"""A line of word vectors."""
UNPACKED_BYTES = 64 * MIB
"""What any gzip file may unpack to."""
UNPACKED_RATIO = 100
"""What a larger one may unpack to, times its packed bytes."""
RUNS = 100_000
"""Runs of an experiment."""
LISTED = 50
"""Names that a message lists before it counts the others."""
