"""The page on names of the package, and the names themselves."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ladtl_np
from ladtl_np import LaDTLTagger, audit

PAGE = (Path(__file__).parents[1] / "docs" / "api.md").read_text("utf-8")
HEADINGS = dict(re.findall(r"(?m)^### `(\w+)\((.*)\)`$", PAGE))
METHODS = dict(re.findall(r"(?m)^\| `(\w+)\((.*?)\)` \|", PAGE.partition("\n## scikit-learn")[0]))
NAMES = sorted(set(ladtl_np.__all__) - {"__version__"})


def written(function: object) -> str:
    """Names of the arguments as a page writes them."""
    told, star = [], False
    for name, parameter in inspect.signature(function).parameters.items():  # type: ignore[arg-type]
        if name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            told.append("*")
        star = star or parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_POSITIONAL)
        lead = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}
        told.append(lead.get(parameter.kind, "") + name)
    return ", ".join(told)


def test_the_page_shows_every_public_name() -> None:
    assert sorted(HEADINGS) == NAMES
    assert sorted(ladtl_np._HOMES) == NAMES
    assert sorted(dir(ladtl_np)) == sorted(ladtl_np.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_there_and_takes_what_the_page_says(name: str) -> None:
    found = getattr(ladtl_np, name)
    assert found.__name__ == name
    if HEADINGS[name] != "...":
        assert HEADINGS[name] == written(found)


def test_the_page_shows_every_method_of_the_estimator() -> None:
    public = {name for name in dir(LaDTLTagger) if not name.startswith("_")}
    assert METHODS.keys() == public - {"get_metadata_routing"}  # scikit-learn's own
    for name, arguments in METHODS.items():
        assert arguments == written(getattr(LaDTLTagger, name)), name


def test_a_name_that_is_none_is_refused_as_python_does() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'LaDTLTager'"):
        ladtl_np.LaDTLTager  # noqa: B018


def test_the_package_alone_loads_neither_numpy_nor_numba() -> None:
    program = (
        "import sys, ladtl_np\nassert ladtl_np.__version__ and dir(ladtl_np)\n"
        "ladtl_np.LadtlError\n"
        "assert not {'numpy', 'numba', 'sklearn', 'spacy', 'rich'} & sys.modules.keys()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


AUDITS = dict(
    re.findall(
        r"`(\w+)(?:\(([^)]*)\))?`", PAGE.partition("\n## Audits\n")[2].partition("| name |")[2]
    )
)


def test_the_page_shows_every_name_of_the_audits() -> None:
    assert AUDITS.keys() >= set(audit.__all__) == set(dir(audit)) == audit._HOMES.keys()
    for name in audit.__all__:
        if AUDITS[name]:
            assert AUDITS[name] == written(getattr(audit, name)), name
