"""The administrator's pages of units: what will move stands there before the act; nobody else gets there."""

from docctl import reorganising, units
from docctl.documents import Document


def number(site, code: str) -> int:
    with site.database.reading() as session:
        return units.find(session, code).id


def test_the_page_of_a_unit_says_what_hangs_on_it_and_merges_it(make_revision, sign_in, site):
    made = make_revision("in_force")
    admin, unit = sign_in("admin"), number(site, "TP")
    assert f'href="/units/{unit}"' in admin.read("/units")
    page = admin.read(f"/units/{unit}")
    counts = [row.split("<")[0] for row in page.split('data-label="How many">')[1:]]
    assert counts == ["1", "0", "2", "2", "0", "0", "0", "0", "0"]
    assert admin.send(f"/units/{unit}/merger", into="").status_code == 409
    assert admin.send(f"/units/{unit}/merger", into="NV").status_code == 303
    assert "its work goes on in NV" in admin.read(f"/units/{unit}")
    with site.database.reading() as session:
        assert session.get_one(Document, made.document_id).unit.code == "NV"
    answer = admin.send(f"/units/{unit}/merger", into="NV")
    assert answer.status_code == 409
    assert "ended on" in answer.text
    revision = sign_in("auditor").read(f"/revisions/{made.id}")
    assert "when it was issued: Justice division" in revision


def test_a_unit_is_renamed_and_split_from_its_page(sign_in, site):
    admin, unit = sign_in("admin"), number(site, "TP")
    admin.read("/units")
    for code, name in (("HT", "Phòng Hộ tịch"), ("CT", "Phòng Chứng thực")):
        assert admin.send("/units", code=code, name_vi=name, parent="UBND").status_code == 303
    assert admin.send("/units", code="ht", name_vi="Trùng").status_code == 409
    assert admin.send(f"/units/{unit}/name", name_vi="").status_code == 409
    assert admin.send(f"/units/{unit}/name", name_vi="Phòng Tư pháp mới", name_en="New").status_code == 303
    assert admin.send(f"/units/{unit}/division", main="HT", parts="HT").status_code == 409
    assert admin.send(f"/units/{unit}/division", main="HT", parts="CT").status_code == 303
    with site.database.reading() as session:
        found = units.find(session, "TP")
        assert (found.name_vi, found.ended) == ("Phòng Tư pháp mới", True)
        assert [row.code for row in reorganising.successors(session, found)] == ["HT", "CT"]
    assert "HT, CT" in admin.read("/units")


def test_nobody_but_the_administrator_sees_the_pages_of_units(sign_in, site):
    unit = number(site, "TP")
    for name in ("controller", "auditor", "staff"):
        browser = sign_in(name)
        browser.read("/")
        for path in ("/units", f"/units/{unit}"):
            assert browser.get(path).status_code == 403, name
        for path in ("/units", f"/units/{unit}/name", f"/units/{unit}/merger", f"/units/{unit}/division"):
            assert browser.send(path, code="X", name_vi="X", into="NV", main="NV").status_code == 403, name
    assert sign_in("admin").get("/units/999999").status_code == 404
