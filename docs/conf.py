"""Sphinx configuration; everything not named here keeps its default."""

from __future__ import annotations

from salesfunnel import __version__

project = "salesfunnel"
author = "salesfunnel contributors"
copyright = author
release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# Docstrings are numpydoc: types and shapes in words, other objects in single backticks.
default_role = "py:obj"
autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = project
