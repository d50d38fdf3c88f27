"""Internal audits by the command line alone: opened, drawn with a seed, begun, and the report as a file."""

import io
from pathlib import Path

import docx

from docctl import clock
from tests.cli.conftest import PASSWORD, Terminal


def test_an_audit_is_opened_drawn_and_begun_and_its_report_written(terminal: Terminal, tmp_path: Path) -> None:
    terminal.json("user", "add", "auditor", "--role", "auditor", "--password", PASSWORD)
    folder = tmp_path / "set"
    folder.mkdir()
    for number in (1, 2, 3):
        (folder / f"QT-0{number} Quy trình số {number}.txt").write_text(f"Quy trình số {number}\n", encoding="utf-8")
    imported = ("import", "documents", folder, "--in-force-under", "12/QĐ-UBND", "--effective", "2022-10-26")
    terminal.json(*imported, "--unit", "CQ", "--type", "QT", "--as", "controller")
    day = clock.today().isoformat()
    words = ("Đánh giá đợt 1", "--scope", "Văn phòng", "--from", day, "--to", day)
    made = terminal.json("internal-audit", "open", *words, "--as", "auditor")
    number = made["number"]
    assert (number, made["state"]) == (f"01/{day[:4]}", "planned")
    assert "còn thiếu" in terminal.refused(
        "internal-audit", "act", number, "begin", "--as", "auditor", DOCCTL_LOCALE="vi"
    )
    drawn = terminal.json("internal-audit", "draw", number, "--size", 2, "--seed", "2022", "--as", "auditor")
    assert (drawn["seed"], drawn["population"], len(drawn["samples"])) == ("2022", 3, 2)
    assert terminal.json("internal-audit", "act", number, "begin", "--as", "auditor")["state"] == "under_way"
    shown = terminal.json("internal-audit", "show", number, "--as", "controller")
    assert shown["draws"] == [{"seed": "2022", "size": 2, "reproduced": True}]
    assert [row["code"] for row in shown["sampled"]] == [row["code"] for row in drawn["samples"]]
    assert terminal.json("internal-audit", "findings", "--open", "--as", "auditor") == []
    assert [row["number"] for row in terminal.json("internal-audit", "list", "--as", "auditor")] == [number]
    assert "no audit" in terminal.refused("internal-audit", "show", number, "--as", "staff")
    report = tmp_path / "report.docx"
    written = terminal.json("internal-audit", "report", number, "-o", report, "--as", "auditor")
    paper = docx.Document(io.BytesIO(report.read_bytes()))
    assert written["head"] in paper.sections[0].footer.paragraphs[0].text
    assert terminal.type("internal-audit", "report", number, "-o", tmp_path / "report.txt").exit_code == 2
