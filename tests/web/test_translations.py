"""Every text of the pages is there in Vietnamese, with the same places to fill in, and none is left over."""

import re

from docctl.translations.__main__ import collected, written

PLACE = re.compile(r"%\(\w+\)s")


def texts(catalogue):
    return {message.id: message.string for message in catalogue if message.id}


def test_every_text_of_the_pages_has_its_vietnamese():
    known = texts(written())
    missing = [said for said in texts(collected()) if not known.get(said) or not all(as_list(known[said]))]
    assert missing == [], "run `make messages` and translate what is empty"


def test_no_text_is_translated_that_no_page_says():
    assert sorted(map(str, set(texts(written())) - set(texts(collected())))) == []


def test_a_translation_fills_in_the_same_places():
    for said, vietnamese in texts(written()).items():
        wanted = set(PLACE.findall(as_list(said)[-1]))
        assert all(set(PLACE.findall(text)) == wanted for text in as_list(vietnamese)), said


def as_list(text):
    return [text] if isinstance(text, str) else list(text)
