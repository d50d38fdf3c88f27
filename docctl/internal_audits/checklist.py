"""The checklist of the walk, as data: what is asked of each sample, and in which record the answer is found."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from docctl.rules import Sentence

FILE = Path(__file__).with_name("checklist.toml")


@dataclass(frozen=True)
class Point:
    """One point: the clause or row of the annex it is of, its words, and the record to look at."""

    code: str
    words: Sentence
    look: str = ""


@cache
def versions() -> dict[str, tuple[Point, ...]]:
    """Return the points of every version, the newest version last."""
    data = tomllib.loads(FILE.read_text(encoding="utf-8"))["versions"]
    return {
        version["name"]: tuple(
            Point(each["code"], Sentence(each["vi"], each["en"]), each["look"]) for each in version["points"]
        )
        for version in data
    }


def newest() -> str:
    """Return the name of the version that audits begin with now."""
    return list(versions())[-1]


def point(version: str, code: str) -> Point:
    """Return a point of a version; one that the file no longer has stands with its code alone."""
    found = next((each for each in versions().get(version, ()) if each.code == code), None)
    return found or Point(code, Sentence(code, code))
