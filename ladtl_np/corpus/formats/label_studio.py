"""Label Studio's JSON and JSON-MIN: a list of tasks with regions of their texts.

The text of a task is ``data.text``, or the one string of its data. One annotation has to remain
when cancelled ones are left out; a task without any is an unannotated document. Predictions and
results that mark no text, such as relations and choices, are left out and counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from ladtl_np.corpus.document import Document, Identity
from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.formats.array import elements, written
from ladtl_np.corpus.formats.offsets import EndRule, Marked, MisfitError, identity_of, integer
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.schemes import Span
from ladtl_np.corpus.tally import Tally
from ladtl_np.printable import json_text

__all__ = ["read", "write"]

_WANTED = "wanted tasks with data and annotations, or the form JSON-MIN"


def read(
    stream: BinaryIO, options: ReadOptions, findings: Findings, tally: Tally
) -> Iterator[Document]:
    """Yield a document for each task; after the first finding, look for more of them.

    Parameters
    ----------
    stream
        A file opened in binary mode.
    options
        How to read: `encoding` and `ends` matter here; ends are exclusive unless chosen.
    findings
        Takes what is wrong.
    tally
        Filled with counts of what is left out.

    Raises
    ------
    FindingsError
        With everything wrong in the file, up to a limit.
    """
    rule = EndRule(options.ends, findings)
    seen: dict[Identity, int] = {}
    for number, line, task in elements(stream, options, findings, tally):
        where = f"task {number}: "
        try:
            text, identity, marked = _task(task, tally, tagged=options.tag_column is not None)
        except MisfitError as error:
            findings.add(line, f"{where}{error}", _WANTED)
            continue
        if identity is not None and seen.setdefault(identity, number) != number:
            what = f"{where}the id of task {seen[identity]} again"
            findings.add(line, what, "keep one annotation of each task", str(identity))
            continue
        spans: tuple[Span, ...] | None = None
        if marked is not None:
            spans = rule.spans(text, marked, line, where, "exclusive")
        if not findings:
            yield Document(text, spans, identity, line)
    findings.raise_any()


def write(documents: Iterable[Document]) -> Iterator[str]:
    """Write documents as tasks, with the labels ``label`` of the text ``text``.

    Raises
    ------
    ValueError
        If an entity is empty or leaves its text.
    """
    return written(json_text(_written(document)) for document in documents)


def _written(document: Document) -> dict[str, Any]:
    task: dict[str, Any] = {} if document.id is None else {"id": document.id}
    task["data"] = {"text": document.text}
    annotation = []
    if document.entities is not None:
        regions = enumerate(document.entities, 1)
        annotation = [{"result": [_region(document.text, n, *span) for n, span in regions]}]
    return task | {"annotations": annotation}


def _region(text: str, number: int, start: int, end: int, kind: str) -> dict[str, Any]:
    if not 0 <= start < end <= len(text):
        raise ValueError(f"entity {start}..{end} is empty or leaves the text; write JSONL instead")
    value = {"start": start, "end": end, "text": text[start:end], "labels": [kind]}
    names = {"from_name": "label", "to_name": "text", "type": "labels"}
    return {"id": f"e{number}", **names, "value": value}


def _task(task: Any, tally: Tally, *, tagged: bool) -> tuple[str, Identity, list[Marked] | None]:
    """Return the text, the id, and the entities of a task; None where nobody has annotated it."""
    if not isinstance(task, dict):
        raise MisfitError("not an object")
    identity = identity_of(task.get("id"))
    if "data" not in task:
        return _text({"text": task.get("text")}), identity, _minimal(task) if tagged else None
    if not tagged:
        return _text(task["data"]), identity, None
    if predictions := _list(task, "predictions"):
        tally.left_out["predictions"] += len(predictions)
    key = "annotations" if "annotations" in task else "completions"  # as older versions say
    kept = []
    for annotation in _list(task, key):
        if not isinstance(annotation, dict):
            raise MisfitError(f"{key} with something else than objects")
        if annotation.get("was_cancelled"):
            tally.left_out["cancelled annotations"] += 1
        else:
            kept.append(annotation)
    if len(kept) > 1:
        raise MisfitError(f"{len(kept)} annotations of one text, of which one has to be kept")
    marked = None
    if kept:
        marked = [one for result in _list(kept[0], "result") for one in _result(result, tally)]
    return _text(task["data"]), identity, marked


def _list(table: dict[str, Any], key: str) -> list[Any]:
    found = table.get(key)
    if found is not None and not isinstance(found, list):
        raise MisfitError(f"{key} is no list")
    return found or []


def _text(data: Any) -> str:
    if not isinstance(data, dict):
        raise MisfitError("data is no object")
    if isinstance(data.get("text"), str):
        return str(data["text"])
    texts = [value for value in data.values() if isinstance(value, str)]
    if len(texts) != 1:
        raise MisfitError(f"data with {len(texts)} texts, none of them under the key text")
    return texts[0]


def _minimal(task: dict[str, Any]) -> list[Marked] | None:
    """Entities of JSON-MIN: a list of regions under the name of the labels."""
    keys = [
        key
        for key, value in task.items()
        if isinstance(value, list) and any(isinstance(x, dict) and "start" in x for x in value)
    ]
    if len(keys) > 1:
        raise MisfitError(f"{len(keys)} lists of regions, of which one has to be kept")
    if keys:
        return [one for value in task[keys[0]] for one in _regions(value, "labels")]
    return [] if "annotation_id" in task or "label" in task else None


def _result(result: Any, tally: Tally) -> list[Marked]:
    if not isinstance(result, dict) or not isinstance(kind := result.get("type"), str):
        raise MisfitError("a result that is no object with a type")
    if kind == "labels":
        return _regions(result.get("value"), kind)
    if kind.endswith("labels"):
        raise MisfitError("labels of something else than plain text")
    tally.left_out["relations" if kind == "relation" else "results that mark no text"] += 1
    return []


def _regions(value: Any, key: str) -> list[Marked]:
    """Entities of a region: one for each of its labels."""
    if not isinstance(value, dict):
        raise MisfitError("a region that is no object")
    start, end = integer(value.get("start"), "a start"), integer(value.get("end"), "an end")
    labels, covered = value.get(key), value.get("text")
    if not isinstance(labels, list) or not labels or not all(isinstance(x, str) for x in labels):
        raise MisfitError("a region without labels")
    if covered is not None and not isinstance(covered, str):
        raise MisfitError("a region whose text is none")
    return [Marked(start, end, kind, covered) for kind in labels]
