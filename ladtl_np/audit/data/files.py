"""Whether a run's files are those that its records tell of, and the records agree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ladtl_np.audit.data.evidence import Evidence, Held
from ladtl_np.audit.outcome import Line, Verdict, noted
from ladtl_np.model.verify import verify_model
from ladtl_np.options.config import differing_options
from ladtl_np.printable import LONG, counted, shown
from ladtl_np.runs.manifest import DataFile
from ladtl_np.runs.marker import holds_run
from ladtl_np.runs.names import BEST, CONFIG, LAST, MANIFEST
from ladtl_np.runs.records import numbered
from ladtl_np.training.trained_model import versions

__all__ = ["equal", "file_lines"]

_SHOWN = 12  # digits of a hash
_LISTED = 5  # differences that a line names


def equal(check: str, differences: list[str], fine: str, detail: str = "") -> Line:
    """A line that passes where nothing differs, and names what does."""
    if not differences:
        return Line(check, fine, "equal", "passed", detail)
    more = len(differences) - _LISTED
    told = "; ".join(shown(one, LONG) for one in differences[:_LISTED])
    told += f"; {more} more" if more > 0 else ""
    return Line(check, told, "equal", "failed", detail)


def file_lines(evidence: Evidence) -> Iterator[Line]:
    """Corpora against the manifest, then the records against each other."""
    sound = holds_run(evidence.folder)
    verdict: Verdict = "passed" if sound else "failed"
    found = "its hash is of what it says" if sound else "its hash is not of what it says"
    yield Line(MANIFEST, found, "as it was written", verdict)
    for held in evidence.held:
        yield _corpus_line(held, generated=evidence.generated)
    yield equal(f"{CONFIG} and {MANIFEST}", _config_differences(evidence), "files and method")
    yield from _model_lines(evidence)
    yield _version_line(evidence)
    yield from _resumed_lines(evidence)


def _corpus_line(held: Held, *, generated: bool) -> Line:
    """Hash of a corpus; its size as well, which says that it is read as it was."""
    check, told, corpus = f"{held.role} corpus", held.told, held.corpus
    name = held.name
    if corpus is None:
        wanted = told.sha256[:_SHOWN] if told is not None else ""
        return Line(check, held.problem, wanted, "failed", name)
    if told is None:
        return Line(check, "not among the manifest's", "told", "failed", name)
    now = DataFile(
        held.role, told.name, corpus.sha256, len(corpus), corpus.token_count, corpus.scheme
    )
    verdict: Verdict = "passed" if now == told else "failed"
    if generated:
        return Line(f"{check}, generated anew", _size(now), _size(told), verdict, name)
    if now.sha256 != told.sha256:
        return Line(check, now.sha256[:_SHOWN], told.sha256[:_SHOWN], "failed", name)
    wanted = f"{told.sha256[:_SHOWN]}, {_size(told)}"
    return Line(check, f"{now.sha256[:_SHOWN]}, {_size(now)}", wanted, verdict, name)


def _size(entry: DataFile) -> str:
    sentences, tokens = counted(entry.sentences, "sentences"), counted(entry.tokens, "tokens")
    return f"{sentences}, {tokens}, {entry.scheme}"


def _config_differences(evidence: Evidence) -> list[str]:
    """What config.toml and the manifest tell otherwise."""
    config, manifest = evidence.written, evidence.manifest
    found = []
    if config.method != manifest.method:
        found.append(f"method {config.method} and {manifest.method}")
    told = manifest.constrained_decoding
    if told is not None and told != config.decoding.constrained:
        found.append("decoding.constrained")
    if not evidence.generated:
        named = {role: [e.name for e in manifest.data if e.role == role] for role in _ROLES}
        files = config.data.files()
        for role in _ROLES:
            mine = [file.path for file in files if file.role == role]
            if named[role] != mine and not (role == "source" and not named[role]):
                found.append(f"the {role} corpus")
    return found


_ROLES = ("source", "target", "dev", "test")


def _model_lines(evidence: Evidence) -> Iterator[Line]:
    """The models' own checks, and what the best one tells of its training."""
    for name in (BEST, LAST):
        checks = verify_model(evidence.folder / name)
        failed = next((check for check in checks if check.held is False), None)
        if failed is not None:
            yield Line(name, failed.found, "sound", "failed", failed.name)
        else:
            yield Line(name, f"{len(checks)} checks held", "sound", "passed")
    model = evidence.model
    if model is None:
        yield Line(f"{BEST}, read", evidence.problem, "a model", "failed")
        return
    options = differing_options(model.config, evidence.written)
    differences = [f"{key}: {one!r} and {other!r}" for key, one, other in options]
    yield equal(f"options in {BEST} and {CONFIG}", differences, "every option")
    told: dict[str, Any] = dict(model.provenance.get("data", {}))
    wanted: dict[str, str] = {}
    for entry in evidence.manifest.data:
        if entry.role != "test":
            wanted[numbered(entry.role, wanted)] = entry.sha256
    roles = [role for role in {**wanted, **told} if wanted.get(role) != told.get(role)]
    yield equal(f"hashes in {BEST} and {MANIFEST}", roles, f"{len(wanted)} corpora")
    mine, theirs = model.provenance.get("versions", {}), evidence.manifest.versions
    names = [name for name in {**mine, **theirs} if mine.get(name) != theirs.get(name)]
    yield equal(f"versions in {BEST} and {MANIFEST}", names, counted(len(theirs), "programs"))


def _version_line(evidence: Evidence) -> Line:
    """Versions of the run beside those installed now."""
    then, now = evidence.manifest.versions, versions()
    changed = [
        f"{name} {shown(then[name])}, now {now.get(name, 'none')}"
        for name in then
        if then[name] != now.get(name)
    ]
    found = "; ".join(changed) or "as installed now"
    detail = "another version may give other numbers" if changed else ""
    return noted("versions of the run", found, detail)


def _resumed_lines(evidence: Evidence) -> Iterator[Line]:
    """Whether the run was stopped and taken up again with other options or files."""
    events = evidence.run.events("resumed")
    if events is None:
        yield noted("log.jsonl", "cannot be read", "whether the run was taken up again is not told")
        return
    if not events:
        return
    changed = [str(one) for event in events for one in event.get("changed") or []]
    found = f"{len(events)} times" + (f", changed: {'; '.join(changed)}" if changed else "")
    yield noted("stopped and taken up again", found)
