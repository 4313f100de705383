"""The ``ladtl`` program: which commands there are, and what becomes of every error.

A command is loaded when it is called, so ``ladtl --help`` imports neither NumPy nor Numba.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Any, TextIO

import click

from ladtl_np import __version__
from ladtl_np.commands.support.standard import prepare_streams
from ladtl_np.commands.support.start import require_start
from ladtl_np.corpus.limits import bounded
from ladtl_np.errors import LadtlError, ModelWarning, TerminatedError, UsageError
from ladtl_np.kernels.notice import tell_of_compiling
from ladtl_np.runs.signals import signals_raise

__all__ = ["SUMMARIES", "ladtl", "main"]

SUMMARIES = {
    "train": "Train a model on a source and a target domain.",
    "tag": "Tag text and corpora of any format with a model.",
    "select": "Choose which sentences or documents to annotate next.",
    "review": "Write one offline page on which a person corrects entities by keyboard.",
    "evaluate": "Score models on annotated files.",
    "score": "Score predicted tags against gold tags, file against file.",
    "compare": "Test whether one system is better than another.",
    "experiment": "Train a grid of tasks, methods and seeds from one file; resumable.",
    "tune": "Search the options of one task on its development data; resumable.",
    "report": "Write one HTML page on an experiment, or on any run folders.",
    "data": "Check, count, convert and split corpora; write the demo corpus.",
    "vectors": "Train word vectors; keep the rows of a large file that corpora use.",
    "source": "Export a source domain as a file without its text, to learn from elsewhere.",
    "model": "Show what is inside a model file, and check it.",
    "audit": "Check the mathematics on your own model, run and sentences.",
    "bench": "Measure the speed of this machine, beside PyTorch where it is installed.",
}
"""One line for each command; the command is ``ladtl_np.commands.<name>.command``."""

INTERRUPTED = 130

_EPILOG = (
    "Exit codes: 0 ok, 1 failure, 2 wrong usage, 3 findings in data, 4 training diverged, "
    "129 terminal closed, 130 interrupted, 143 terminated."
)


class _Commands(click.Group):
    """A group that imports a command only to run it, and turns errors into exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in SUMMARIES:
            return None
        require_start(cmd_name)
        tell_of_compiling(lambda line: click.echo(line, err=True))
        module = importlib.import_module(f"ladtl_np.commands.{cmd_name}")
        return _with_line_marks(module.command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in SUMMARIES and not args[0].startswith("-"):
            ctx.fail(f"no such command {args[0]!r}; there are: {', '.join(SUMMARIES)}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        with _printing_model_warnings():
            result = super().invoke(ctx)
        sys.stdout.flush()  # a full disk or a closed pipe is met here, not while Python ends
        return result

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run one command line and end with its exit code; the one place that handles errors.

        An error that is not expected keeps its traceback: it is a bug.
        """
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, False, **extra)
        try:
            with signals_raise():
                code = super().main(args, prog_name, complete_var, False, **extra)
        except click.ClickException as error:
            told = StringIO()
            error.show(told)
            with contextlib.suppress(OSError):
                click.echo(_safe(told.getvalue()), err=True, nl=False)
            code = error.exit_code
        except (click.Abort, KeyboardInterrupt):
            code = _fail("interrupted", INTERRUPTED)
        except (LadtlError, TerminatedError) as error:
            code = _fail(str(error), error.exit_code)
        except OSError as error:
            _abandon_stdout()
            place = f"{error.filename}: " if error.filename else ""
            if error.errno == errno.EBADF and not place:
                place = "a standard stream is closed: "
            code = _fail(f"{place}{error.strerror or error}", LadtlError.exit_code)
        except UnicodeEncodeError as error:
            if error.encoding != sys.getfilesystemencoding():
                raise
            code = _fail(
                f"Python writes names of files as {error.encoding} here, in which one cannot be "
                "written; set PYTHONUTF8=1, or LC_ALL to a locale of UTF-8",
                UsageError.exit_code,
            )
        except MemoryError:
            code = _fail("not enough memory", LadtlError.exit_code)
        sys.exit(code if isinstance(code, int) else 0)


@contextlib.contextmanager
def _printing_model_warnings() -> Iterator[None]:
    """Print what loading a model warns of as every other warning, whichever command loads it."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", ModelWarning)
        before = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, ModelWarning):
                from ladtl_np.commands.support.formats import warn

                warn(str(message))
            else:
                before(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        yield


def _with_line_marks(command: click.Command) -> click.Command:
    r"""Let the raw docstrings of a command write click's mark for "keep these lines" as ``\b``."""
    command.help = (command.help or "").replace("\\b\n", "\b\n")
    for inner in getattr(command, "commands", {}).values():
        _with_line_marks(inner)
    return command


def _fail(message: str, code: int) -> int:
    """Print a message on one or more lines of its own."""
    with contextlib.suppress(OSError):  # the terminal may be gone
        click.echo(f"error: {_safe(message)}", err=True)
    return code


def _safe(message: str) -> str:
    """A message with its control characters escaped, and no longer than anybody reads."""
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode()
        for c in bounded(message)
    )


def _abandon_stdout() -> None:
    """Send what standard output still holds to nowhere if it cannot be written."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(
    cls=_Commands,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="ladtl")
def ladtl() -> None:
    r"""Named entity recognition with label-aware double transfer learning, on the CPU.

    Train on a domain with much annotated text and one with little, then tag and evaluate. Data goes
    to standard output, messages to standard error, and nothing to any network, unless --dask
    names a cluster.

    \b
    Examples:
      ladtl data demo demo/
      ladtl train --source demo/cardiology/train.txt --target demo/neurology/train.txt \
          --dev demo/neurology/dev.txt --out run/
      ladtl tag --model run/best.safetensors notes.txt
    """


_with_line_marks(ladtl)


def main() -> None:
    """Run the program with the process's arguments."""
    prepare_streams()
    ladtl(prog_name="ladtl")
