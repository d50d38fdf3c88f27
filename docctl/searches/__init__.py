"""Searches as people make them: what each asked lately, what is kept and watched for him, and anonymous figures of all."""

from docctl.searches.asking import Heard, forget, keep, recent
from docctl.searches.figures import Figures, figures
from docctl.searches.saving import MOST_SAVED, MOST_WATCHED, Wish, load, of_person, remove, save
from docctl.searches.table import SavedSearch
from docctl.searches.upkeep import Health, ask_to_rebuild, health, refuse_others
from docctl.searches.watching import look

__all__ = [
    "MOST_SAVED",
    "MOST_WATCHED",
    "Figures",
    "Health",
    "Heard",
    "SavedSearch",
    "Wish",
    "ask_to_rebuild",
    "figures",
    "forget",
    "health",
    "keep",
    "load",
    "look",
    "of_person",
    "recent",
    "refuse_others",
    "remove",
    "save",
]
