"""Renditions: the PDF that a file is read and printed as, and what it says of itself at the moment it is handed out."""

from docctl.renditions.table import ACCEPT, ASKS, AUTHOR, ORIGINAL, READY, REFUSE, UNAVAILABLE, WAITING, Rendition

__all__ = ["ACCEPT", "ASKS", "AUTHOR", "ORIGINAL", "READY", "REFUSE", "UNAVAILABLE", "WAITING", "Rendition"]
