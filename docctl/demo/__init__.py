"""The sample organisation: an invented district office with its units, people, papers and six years of work on them."""

from docctl.demo.loading import BEGAN, Loaded, load

__all__ = ["BEGAN", "Loaded", "load"]
