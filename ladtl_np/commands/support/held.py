"""Inputs of ``ladtl data convert`` and ``split``, held as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from ladtl_np.corpus.conversion import documents_of
from ladtl_np.corpus.document import Document
from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.formats.conll import read_conll
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.lines import display_name
from ladtl_np.corpus.read import Documents, format_of, read_documents
from ladtl_np.corpus.renaming import renamed
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.corpus.tally import Remark, Tally

__all__ = ["Held", "hold"]


@dataclass(frozen=True, slots=True)
class Held:
    """An input as it is: a corpus of columns, or documents.

    Attributes
    ----------
    name
        The input.
    options
        How it was read; the format is known.
    corpus
        Sentences and tags of columns, None of documents.
    documents
        Documents, None of columns.
    tally
        What was met.
    """

    name: str
    options: ReadOptions
    corpus: Corpus | None
    documents: Documents | None
    tally: Tally

    def as_corpus(self) -> Corpus:
        """Sentences and tags; documents are cut.

        Raises
        ------
        FindingsError
            If entities do not fit tokens.
        """
        if self.corpus is not None:
            return self.corpus
        assert self.documents is not None
        findings = Findings(self.name)
        corpus = self.documents.corpus(self.options, self.name, findings, self.tally)
        findings.raise_any()
        return renamed(corpus, self.options.rename)

    def as_documents(self, group: int, *, tokens: bool = False) -> list[Document]:
        """Documents; of columns, `group` sentences each where none are told.

        Where something may be repaired or `tokens` are wanted, entities are made to fit tokens;
        else they stay.

        Raises
        ------
        FindingsError
            If repaired entities do not fit tokens.
        """
        if self.documents is None:
            assert self.corpus is not None
            return list(documents_of(self.corpus, group))
        options = self.options
        if not tokens and not options.repair and options.overlaps == "refuse":
            return list(self.documents.items)
        findings = Findings(self.name)
        fitted = [
            found.fitted(tokens=tokens)
            for found in self.documents.aligned(options, findings, self.tally)
        ]
        findings.raise_any()
        return fitted

    def by_sentence(self) -> list[Document]:
        """A document for each sentence.

        Raises
        ------
        FindingsError
            If entities do not fit tokens.
        """
        assert self.documents is not None
        findings = Findings(self.name)
        found = [
            one
            for aligned in self.documents.aligned(self.options, findings, self.tally)
            for one in aligned.parts()
        ]
        findings.raise_any()
        return found

    def remarks(self) -> Sequence[Remark]:
        """What was met, after the input has been used."""
        return self.tally.remarks(self.name)


def hold(path: str, options: ReadOptions) -> Held:
    """Read an input in any format.

    Raises
    ------
    UsageError
        If it cannot be opened.
    FindingsError
        With everything wrong in it.
    """
    found, name, tally = format_of(path, options), display_name(path), Tally()
    options = msgspec.structs.replace(options, format=found.name)
    if found.family == "columns":
        corpus = read_conll(path, options, name=name, tally=tally)
        return Held(name, options, corpus, None, tally)
    findings = Findings(name)
    documents = read_documents(path, options, findings, tally)
    findings.raise_any()
    return Held(name, options, None, documents, tally)
