"""Records of JSON that hold one text each, in the dialects of several tools.

========  ==========================================================================================
dialect   told by
========  ==========================================================================================
doccano   ``label`` or ``labels``: ``[[start, end, type], ...]``; or objects with ``start_offset``
spaCy     ``ents`` or ``entities``: objects with ``start``, ``end`` and ``label``, or triples; and
          pairs ``[text, {"entities": [...]}]``
Prodigy   ``spans``, and ``answer``
CLUENER   ``label`` as ``{type: {text of the entity: [[start, last], ...]}}``
CCKS      objects with ``start_pos`` and ``end_pos``
========  ==========================================================================================

Ends are exclusive but in CLUENER, where they are inclusive. Records with ``start_pos`` are written
either way, so the texts of the entities tell it, or the user.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ladtl_np.corpus.document import Bounds, Document
from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.formats.offsets import (
    EndRule,
    Marked,
    MisfitError,
    bounds_of,
    identity_of,
    integer,
)
from ladtl_np.corpus.formats.reading import Ends, ReadOptions
from ladtl_np.corpus.schemes import Span
from ladtl_np.corpus.tally import Tally
from ladtl_np.printable import counted

__all__ = ["Records"]

_TEXTS = ("text", "originalText")
_CONTAINERS = {
    "label": "doccano",
    "labels": "doccano",
    "entities": "spaCy",
    "ents": "spaCy",
    "spans": "Prodigy",
    "entity_list": "CCKS",
}
"""Keys under which entities stand, and the dialect where the entities do not tell another."""
_STARTS = {
    "start": ("end", ""),
    "start_offset": ("end_offset", "doccano"),
    "start_pos": ("end_pos", "CCKS"),
}
"""Keys of an entity's start: that of its end, and the dialect that has them."""
_KINDS = ("label", "type", "label_type", "entity_type")
_COVERED = ("text", "entity")
_ENDS: dict[str, Ends] = {"CCKS": "auto", "CLUENER": "inclusive"}  # all others: exclusive
_LEFT_OUT = {
    "relations": "relations",
    "Comments": "comments",
    "comments": "comments",
    "cats": "document labels",
}
_ANSWERS = {"reject": "rejected documents", "ignore": "ignored documents"}
_WANTED = 'wanted {"text": "...", "label": [[start, end, "TYPE"], ...]} or another known form'


class Records:
    """Turns the records of one file into documents; all have to be of one dialect.

    Parameters
    ----------
    options
        How to read.
    findings
        Takes what is wrong.
    tally
        Takes what is left out.
    """

    def __init__(self, options: ReadOptions, findings: Findings, tally: Tally) -> None:
        self._findings = findings
        self._tally = tally
        self._tagged = options.tag_column is not None
        self._rule = EndRule(options.ends, findings)
        self._dialect = ""
        self._first = 0  # line of the first record that has a dialect

    def document(self, record: Any, line: int, where: str = "") -> Document | None:
        """Return the document of a record, None if it is left out or after a finding.

        Parameters
        ----------
        record
            What stands in the file.
        line, where
            Its line, and what else tells it in messages, such as ``record 7: ``.
        """
        try:
            return self._document(record, line, where)
        except MisfitError as error:
            self._findings.add(line, f"{where}not a document: {error}", _WANTED)
            return None

    def _document(self, record: Any, line: int, where: str) -> Document | None:
        if isinstance(record, list) and len(record) == 2 and isinstance(record[1], dict):
            record = {**record[1], "text": record[0]}
        if not isinstance(record, dict):
            raise MisfitError("neither an object nor a pair of a text and an object")
        text, identity = _text_of(record), identity_of(record.get("id"))
        container = _container(record) if self._tagged else None
        for key, name in _LEFT_OUT.items():
            if isinstance(found := record.get(key), list | dict) and found:
                self._tally.left_out[name] += len(found)
        if not self._accepted(record):
            return None
        spans: tuple[Span, ...] | None = None
        if container is not None:
            dialect, marked = _marked(container, record[container])
            if marked and not self._is_of_one_dialect(dialect, line, where):
                return None
            known = _ENDS.get(dialect, "exclusive")
            spans = self._rule.spans(text, marked, line, where, known) if marked else ()
            if spans is None:
                return None
        elif record.get("answer") == "accept":
            spans = ()  # Prodigy leaves `spans` out where there is none
        tokens = _bounds(record, "tokens", text)
        sentences = _bounds(record, "sents", text)
        starts = tuple(start for start, _ in sentences or ())
        return Document(
            text,
            spans,
            identity,
            line,
            tokens=tokens,
            sentences=(0, *starts[1:]) if starts else None,
            probabilities=_probabilities(record, len(spans or ())),
        )

    def _accepted(self, record: dict[str, Any]) -> bool:
        """Whether a record of Prodigy was accepted; others are."""
        answer = record.get("answer")
        if isinstance(answer, str) and answer in _ANSWERS:
            self._tally.left_out[_ANSWERS[answer]] += 1
            return False
        if "spans" in record and answer not in (None, "accept"):
            raise MisfitError("an answer that is none of accept, reject, ignore")
        return True

    def _is_of_one_dialect(self, dialect: str, line: int, where: str) -> bool:
        if not self._dialect:
            self._dialect, self._first = dialect, line
        if dialect == self._dialect:
            return True
        self._findings.add(
            line,
            f"{where}entities as {dialect} has them, where line {self._first} has those of "
            f"{self._dialect}",
            "put each form into a file of its own",
        )
        return False


def _probabilities(record: dict[str, Any], entities: int) -> tuple[float, ...] | None:
    """What `ladtl tag --probabilities` wrote; other things of this name are not looked at."""
    found = record.get("probabilities")
    if not isinstance(found, list) or len(found) != entities:
        return None
    numbers = [p for p in found if isinstance(p, int | float) and 0.0 <= p <= 1.0]
    return tuple(map(float, numbers)) if len(numbers) == entities else None


def _text_of(record: dict[str, Any]) -> str:
    keys = [key for key in _TEXTS if key in record]
    if len(keys) != 1:
        raise MisfitError("both text and originalText" if keys else "no text")
    text = record[keys[0]]
    if not isinstance(text, str):
        raise MisfitError(f"{keys[0]} is no text")
    return text


def _container(record: dict[str, Any]) -> str | None:
    """Key under which the entities stand, None in a document without annotation."""
    keys = [key for key in _CONTAINERS if record.get(key) is not None]
    if "spans" in keys and isinstance(record.get("label"), str):
        keys.remove("label")  # Prodigy tells the question there
    if len(keys) > 1:
        raise MisfitError(f"both {keys[0]} and {keys[1]}; keep one of the two keys")
    return keys[0] if keys else None


def _marked(key: str, value: Any) -> tuple[str, list[Marked]]:
    """Return the dialect, "" where there are no entities, and the entities."""
    if key == "label" and isinstance(value, dict):
        return "CLUENER", list(_by_type(value))
    if not isinstance(value, list):
        raise MisfitError(f"{key} is no list")
    found = [_entity(one, key) for one in value]
    dialects = {dialect or _CONTAINERS[key] for dialect, _ in found}
    if len(dialects) > 1:
        raise MisfitError(f"{key} has entities of several forms")
    return "".join(dialects), [one for _, one in found]


def _entity(value: Any, key: str) -> tuple[str, Marked]:
    if isinstance(value, list):
        if len(value) != 3:
            raise MisfitError(
                f"an entity in {key} with {counted(len(value), 'values')}, wanted start, end, type"
            )
        start, end, kind, covered, dialect = *value, None, ""
    elif isinstance(value, dict):
        starts = [name for name in _STARTS if name in value]
        if len(starts) != 1 or _STARTS[starts[0]][0] not in value:
            raise MisfitError(f"an entity in {key} without start and end")
        name, dialect = _STARTS[starts[0]]
        start, end = value[starts[0]], value[name]
        kind = _first(value, _KINDS)
        covered = _first(value, _COVERED)
    else:
        raise MisfitError(f"an entity in {key} that is neither an object nor a list")
    if not isinstance(kind, str):
        raise MisfitError(f"an entity in {key} whose type is no text")
    if covered is not None and not isinstance(covered, str):
        raise MisfitError(f"an entity in {key} whose text is none")
    return dialect, Marked(integer(start, "a start"), integer(end, "an end"), kind, covered)


def _first(value: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((value[name] for name in names if value.get(name) is not None), None)


def _by_type(value: dict[str, Any]) -> Iterator[Marked]:
    """The entities of CLUENER: type to text to places."""
    for kind, texts in value.items():
        if not isinstance(texts, dict):
            raise MisfitError("a type in label whose value is no object of texts and places")
        for covered, places in texts.items():
            if not isinstance(places, list):
                raise MisfitError("a text in label whose value is no list of places")
            for place in places:
                if not isinstance(place, list) or len(place) != 2:
                    raise MisfitError("a place in label that is not two offsets")
                yield Marked(
                    integer(place[0], "a start"), integer(place[1], "an end"), kind, covered
                )


def _bounds(record: dict[str, Any], key: str, text: str) -> tuple[Bounds, ...] | None:
    """Tokens or sentences, where they are given as objects with start and end."""
    value = record.get(key)
    if not isinstance(value, list) or not value or not all(isinstance(v, dict) for v in value):
        return None
    pairs = [(integer(v.get("start"), "a start"), integer(v.get("end"), "an end")) for v in value]
    return bounds_of(pairs, len(text), key)
