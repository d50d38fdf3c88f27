"""The drawing of a workflow: made from the file, readable without colour, fit for a strict page."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from docctl import workflow

FILES = workflow.load_folder(Path(__file__).parents[2] / "workflows")
SVG = "{http://www.w3.org/2000/svg}"
EVERY = [(name, state, locale) for name in FILES for state in [None, *FILES[name].states] for locale in ("vi", "en")]


def drawn(name: str, current: str | None = None, locale: str = "vi") -> ElementTree.Element:
    return ElementTree.fromstring(workflow.draw(FILES[name], current, locale))


def words(element: ElementTree.Element) -> str:
    return " ".join(" ".join(element.itertext()).split())


@pytest.mark.parametrize(("name", "current", "locale"), EVERY)
def test_the_drawing_is_whole_and_marks_only_the_current_state(name: str, current: str | None, locale: str) -> None:
    svg = drawn(name, current, locale)
    states = [group for group in svg.iter(f"{SVG}g") if "workflow-state" in group.get("class", "")]
    assert [words(group).removeprefix("▶ ") for group in states] == [
        state.label.get(locale) for state in FILES[name].states.values()
    ]
    marked = [group for group in states if "is-current" in group.get("class", "")]
    assert [words(group) for group in marked] == (
        [f"▶ {FILES[name].states[current].label.get(locale)}"] if current else []
    )
    thick = [group for group in states if any(shape.get("stroke-width") for shape in group.iter(f"{SVG}rect"))]
    assert thick == marked


def test_final_states_have_a_double_edge() -> None:
    for group in drawn("revision").iter(f"{SVG}g"):
        if "workflow-state" in group.get("class", ""):
            ends = words(group) in {"Đã hủy bỏ", "Đã bỏ dự thảo"}
            assert len(group.findall(f"{SVG}rect")) == (2 if ends else 1)


def test_every_act_between_two_states_has_an_arrow_and_those_of_a_decision_are_dashed() -> None:
    arrows = [group for group in drawn("revision").iter(f"{SVG}g") if "workflow-arrow" in group.get("class", "")]
    onward = ["Trình xem xét", "Ký xem xét", "Phê duyệt", "Ban hành", "Hủy bỏ"]
    back_or_out = ["Trả lại / Rút lại", "Trả lại", "Mở lại", "Bỏ dự thảo"]
    assert sorted(words(arrow) for arrow in arrows) == sorted([*onward, *back_or_out])
    dashed = [words(arrow) for arrow in arrows if arrow[0].get("stroke-dasharray")]
    assert dashed == ["Ban hành", "Hủy bỏ"]


def test_a_reader_who_does_not_see_the_drawing_hears_the_state_and_every_step() -> None:
    svg = drawn("revision", "in_review")
    assert svg.get("role") == "img"
    title, desc = svg[0], svg[1]
    assert svg.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"
    assert words(desc).startswith("Hiện tại: Đang xem xét.")
    assert all(trigger.label.vi in words(desc) for trigger in FILES["revision"].triggers.values())


def test_the_drawing_carries_no_style_no_script_and_no_address() -> None:
    for name in FILES:
        text = workflow.draw(FILES[name], FILES[name].initial)
        assert "style=" not in text
        assert "<style" not in text
        assert "<script" not in text
        assert "href" not in text


def test_labels_with_angle_brackets_stay_text() -> None:
    memo = FILES["decision"]
    text = memo.source.replace('vi = "Đã ký"', 'vi = "<b>Đã</b> & ký"')
    svg = ElementTree.fromstring(workflow.draw(workflow.parse(text, path=memo.path), "signed"))
    assert "<b>Đã</b> & ký" in words(svg)


def test_everything_drawn_lies_inside_the_drawing() -> None:
    for name in FILES:
        svg = drawn(name, FILES[name].initial, "en")
        width, height = int(svg.get("width", "0")), int(svg.get("height", "0"))
        assert svg.get("viewBox") == f"0 0 {width} {height}"
        for shape in svg.iter(f"{SVG}rect"):
            x, y, w, h = (int(shape.get(key, "")) for key in ("x", "y", "width", "height"))
            assert x >= 0
            assert y >= 0
            assert x + w <= width
            assert y + h <= height
        for span in svg.iter(f"{SVG}tspan"):
            assert 0 <= int(span.get("x", "")) <= width
            assert 12 <= int(span.get("y", "")) <= height


def test_a_sites_state_beside_the_main_path_is_drawn_with_its_way_back() -> None:
    revision = FILES["revision"]
    text = (
        revision.source
        + """
[states.on_hold]
label = { vi = "Tạm dừng", en = "On hold" }
waiting = { vi = "Chờ ý kiến.", en = "Waiting for an opinion." }

[[triggers]]
name = "hold"
label = { vi = "Dừng lại", en = "Hold" }
happens = { vi = "Dừng.", en = "Held." }
from = ["in_review"]
to = "on_hold"
roles = ["approver"]

[[triggers]]
name = "resume"
label = { vi = "Tiếp tục", en = "Resume" }
happens = { vi = "Tiếp tục.", en = "Resumed." }
from = ["on_hold"]
to = "in_review"
roles = ["approver"]
"""
    )
    svg = ElementTree.fromstring(workflow.draw(workflow.parse(text, path=revision.path), "on_hold"))
    arrows = [words(group) for group in svg.iter(f"{SVG}g") if "workflow-arrow" in group.get("class", "")]
    assert {"Dừng lại", "Tiếp tục"} <= set(arrows)
    assert "▶ Tạm dừng" in words(svg)


def test_the_plain_table_has_a_line_for_every_act() -> None:
    lines = workflow.table(FILES["revision"], "en").splitlines()
    assert lines[0].split() == ["Act", "From", "To", "Who", "Notes"]
    assert len(lines) == 2 + len(FILES["revision"].triggers)
    approve = next(line for line in lines if line.startswith("Approve "))
    assert approve.split("  ")[0] == "Approve"
    assert approve.endswith("signs")
    assert "by decision" in next(line for line in lines if line.startswith("Issue"))
