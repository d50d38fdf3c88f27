"""What does not fit: a typed ratio that is not its own percentage, a figure against the records, a total that is no sum."""

import re
from dataclasses import dataclass

from docctl.reports.figures import Figure, Year
from docctl.reports.scoring import Sheet, written
from docctl.reports.table import TypedFigure
from docctl.rules import Sentence
from docctl.text import fold

_RATIO = re.compile(r"(\d[\d.\s]*)\s*/\s*(\d[\d.\s]*?)\s*(?:=|≈|đạt|\()\s*(\d+(?:[.,]\d+)?)\s*%")
_PAIR = re.compile(r"(\d+)\s*/\s*(\d+)")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


@dataclass(frozen=True)
class Contradiction:
    """What was said, and what contradicts it."""

    about: str
    said: str
    sentence: Sentence


def found(computed: Year, typed: list[TypedFigure], sheet: Sheet) -> list[Contradiction]:
    """Return every contradiction in a year's report."""
    listed = [each for row in typed for each in _in_figure(row, computed)]
    listed += _in_sheet(sheet)
    return listed


def _in_figure(row: TypedFigure, computed: Year) -> list[Contradiction]:
    found = []
    ratio = _RATIO.search(row.value)
    if ratio:
        part, whole, said = _whole(ratio[1]), _whole(ratio[2]), float(ratio[3].replace(",", "."))
        real = 100 * part / whole if whole else 0.0
        if whole and abs(real - said) >= 0.05 + 1e-9:
            sentence = Sentence(
                "{part}/{whole} là {real} %, không phải {said} %.{fitting}",
                "{part}/{whole} is {real} %, not {said} %.{fitting}",
            ).fill(
                part=part, whole=whole, real=_percent(real), said=_percent(said), fitting=_fitting(part, said, computed)
            )
            found.append(Contradiction(row.name, row.value, sentence))
    figure = _meant(row, computed)
    if figure is not None and (against := _against(row, figure)):
        found.append(Contradiction(row.name, row.value, against))
    return found


def _fitting(part: int, said: float, computed: Year) -> Sentence:
    """Name the figure of the records that has the typed percentage."""
    for figure in computed.figures:
        if figure.percent is not None and abs(figure.percent - said) <= 0.1 + 1e-9 and figure.numerator == part:
            return Sentence(
                " {share} % là {text} (theo hồ sơ ngày {day}).", " {share} % is {text} (by the records of {day})."
            ).fill(share=_percent(figure.percent), text=figure.text, day=figure.on.strftime("%d/%m/%Y"))
    return Sentence("", "")


def _meant(row: TypedFigure, computed: Year) -> Figure | None:
    names = {fold(row.name)}
    for figure in computed.figures:
        if names & {figure.name, fold(figure.label.vi), fold(figure.label.en)}:
            return figure
    return None


def _against(row: TypedFigure, figure: Figure) -> Sentence | None:
    pair, number = _PAIR.search(row.value), _NUMBER.search(row.value)
    if pair and figure.denominator is not None:
        same = (int(pair[1]), int(pair[2])) == (figure.numerator, figure.denominator)
    elif number:
        same = float(number[0].replace(",", ".")) == figure.numerator
    else:
        same = False
    if same:
        return None
    return Sentence("Theo hồ sơ ngày {day} là {text}.", "By the records of {day} it is {text}.").fill(
        day=figure.on.strftime("%d/%m/%Y"), text=figure.text
    )


def _in_sheet(sheet: Sheet) -> list[Contradiction]:
    found = []
    if sheet.claimed_total is not None and sheet.claimed_total != sheet.total:
        sentence = Sentence(
            "Tổng đã ghi {claimed} điểm, nhưng các dòng cộng lại là {total} điểm.",
            "The total says {claimed} points, but the rows add up to {total}.",
        ).fill(claimed=written(sheet.claimed_total), total=written(sheet.total))
        found.append(Contradiction("total", written(sheet.claimed_total), sentence))
    for row in sheet.rows:
        if row.claimed is None or row.fact is None or row.fact.met is None or row.is_sum:
            continue
        if row.claimed == row.row.most and not row.fact.met:
            sentence = Sentence(
                "Chấm tối đa {points} điểm, nhưng theo hồ sơ chưa đạt: {fact}.",
                "All {points} points are claimed, but by the records it is not met: {fact}.",
            ).fill(points=written(row.claimed), fact=row.fact.sentence)
            found.append(Contradiction(row.row.code, written(row.claimed), sentence))
    return found


def _whole(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def _percent(share: float) -> str:
    return f"{share:.1f}".replace(".", ",")
