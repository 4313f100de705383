"""Sphinx: Markdown pages by MyST, warnings are errors (`make docs`)."""

project = "ladtl_np"
author = "The ladtl_np authors"
# the second brings MathJax with the pages, which would otherwise ask a server for it
extensions = ["myst_parser", "sphinx-mathjax-offline"]
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "alabaster"
html_theme_options = {"page_width": "1100px", "description": "NER with transfer, on the CPU"}
