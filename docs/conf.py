"""Sphinx: Markdown pages by MyST, whose cells are run; warnings are errors (`make docs`)."""

import os
from pathlib import Path

from sphinx.application import Sphinx

project = "ladtl_np"
author = "The ladtl_np authors"
# the second brings MathJax with the pages, which would otherwise ask a server for it
extensions = ["myst_nb", "sphinx-mathjax-offline"]
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "alabaster"
html_theme_options = {
    "page_width": "1200px",
    "body_max_width": "920px",
    "code_font_size": "0.83em",  # so that 100 columns fit
    "description": "NER with transfer, on the CPU",
}

# Pages with cells are run anew at every build, so that no number outlives the code that it is from.
nb_execution_mode = "force"
nb_execution_in_temp = True  # pages that write files leave none here
nb_execution_timeout = 600  # for the slowest cell where others compute beside
nb_execution_show_tb = True  # a cell that fails is a warning, with the cell and what it raised
nb_kernel_rgx_aliases = {".*": "python3"}  # the interpreter of the build, whatever a page names
nb_merge_streams = True
nb_output_stderr = "warn"  # a warning of a cell is one of the build
nb_code_prompt_show = "How this is drawn"
nb_code_prompt_hide = "Hide how this is drawn"
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # scripts of other servers, for widgets


JUPYTER_FOLDERS = (
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_DATA_DIR",
    "JUPYTER_RUNTIME_DIR",
    "IPYTHONDIR",
    "MPLCONFIGDIR",
)
KERNEL_OPTIONS = """
c.IPKernelApp.log_level = 40  # it warns that it listens on this machine's own address
c.InteractiveShell.colors = "NoColor"
c.InteractiveShellApp.exec_lines = ["import _commands", "_commands.install()", "del _commands"]
"""


def setup(app: Sphinx) -> None:
    """Cells see this checkout and docs/_cells.py; Jupyter keeps its files with the build's."""
    app.extensions["sphinx-mathjax-offline"].parallel_read_safe = True  # it sets one option
    docs = Path(__file__).parent
    paths = [str(docs.parent), str(docs), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # else the kernel warns of frozen modules
    home = Path(app.doctreedir) / "jupyter"
    for name in JUPYTER_FOLDERS:
        folder = home / name.lower()
        folder.mkdir(parents=True, exist_ok=True)
        os.environ[name] = str(folder)
    profile = home / "ipythondir" / "profile_default"
    profile.mkdir(exist_ok=True)
    (profile / "ipython_kernel_config.py").write_text(KERNEL_OPTIONS, "utf-8")
