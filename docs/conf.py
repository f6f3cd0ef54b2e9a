"""Sphinx configuration; everything not named here keeps its default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from salesfunnel import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

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
# Small enough for a stage table to fit beside the menu.
html_theme_options = {"light_css_variables": {"code-font-size": "0.75rem"}}


def keep_whole(
    _app: Sphinx, what: str, _name: str, _object: object, _options: Any, lines: list[str]
) -> None:
    """Put an empty comment first: napoleon takes what stands before a colon there for a type."""
    if what in ("attribute", "data", "property"):
        lines[:0] = ["..", ""]


def setup(app: Sphinx) -> None:
    """Register the above, to run before napoleon."""
    app.connect("autodoc-process-docstring", keep_whole, priority=400)
