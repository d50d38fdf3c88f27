"""Filters of the search page: counts beside each value, and everything in the address."""

import re

from docctl import jobs


def test_each_filter_says_how_many_hits_it_leaves_and_keeps_what_was_chosen(sign_in, site, make_revision):
    make_revision("in_force", title="Quy trình đăng ký khai sinh")
    make_revision("in_force", title="Quy trình đăng ký nhà đất", by="neighbour", unit="NV")
    jobs.wake(site)
    staff = sign_in("staff")
    page = staff.read("/search?q=dang+ky")
    assert re.search(r'<option value="NV">[^<]*\(1\)', page)
    narrowed = staff.read("/search?q=dang+ky&unit=NV&sort=newest")
    assert re.search(r'<option selected value="NV">', narrowed)
    assert "nhà đất" in narrowed
    assert "khai sinh" not in re.search(r"<tbody.*</tbody>", narrowed, re.S)[0]
    assert re.search(r'<option value="TP">[^<]*\(1\)', narrowed)  # As many as there would be.


def test_the_page_says_what_was_searched_and_offers_what_was_typed(sign_in, site, make_revision):
    make_revision("in_force", title="Quy trình đăng ký khai sinh")
    jobs.wake(site)
    staff = sign_in("staff")
    page = staff.read("/search?q=quy+trifnh+khai+sinh")
    assert "This was searched for “quy trình khai sinh” instead of “quy trifnh khai sinh”." in page
    assert re.search(r'class="title"[^>]*><a href="/revisions/', page)
    exactly = re.search(r'href="([^"]*verbatim=1[^"]*)"', page)[1].replace("&amp;", "&")
    assert "instead of" not in staff.read(exactly)


def test_a_unit_that_does_not_exist_is_said_and_not_refused(sign_in, site, make_revision):
    make_revision("in_force")
    jobs.wake(site)
    page = sign_in("staff").read("/search?q=quy+trinh+unit:XX")
    assert "There is no unit XX" in page
    assert "/revisions/" in page


def test_exactly_what_was_typed_stays_so_through_filters_until_other_words_are_typed(sign_in, site, make_revision):
    make_revision("in_force", title="Quy trình đăng ký khai sinh")
    jobs.wake(site)
    staff = sign_in("staff")
    page = staff.read("/search?q=khai+sinj&verbatim=1")
    assert "This was searched for exactly as typed." in page
    assert "instead of" not in page
    assert "instead of" in staff.read("/search?q=khai+sinj")
    kept = re.search(r'<input[^>]*name="verbatim"[^>]*value="([^"]+)"', page)[1]
    narrowed = staff.read(f"/search?q=khai+sinj&verbatim={kept}&type=HD&sort=newest")
    assert "instead of" not in narrowed
    assert re.search(r'href="([^"]+)">Search without the filters', narrowed)[1].endswith("&verbatim=1")
    assert "verbatim" not in re.search(r'href="([^"]+)">Allow other spellings', narrowed)[1]
    other = staff.read(f"/search?q=dang+kys&verbatim={kept}&type=QT")
    assert "This was searched for “đăng ký” instead of “dang kys”." in other
    assert 'name="verbatim"' not in other
