"""The page of search: words without or with accents, what is in force first, and every answer as its reader may see it."""

from collections.abc import Collection
from datetime import datetime
from types import SimpleNamespace
from urllib.parse import urlencode

from flask import Blueprint, abort, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import HiddenField, SearchField, SelectField, StringField

from docctl import audit, clock, register, requests, revisions
from docctl.audit import Head
from docctl.documents import Document
from docctl.exporting import Cell
from docctl.register import Asked
from docctl.rules import NoRole, Refused, Sentence
from docctl.search import Query, finding
from docctl.search.finding import Hit, Results
from docctl.search.narrowing import Choice
from docctl.web import asking, edge, errors, kept, language, paging
from docctl.web.show import day, hit_row, moment, state_word

blueprint = Blueprint("search", __name__)

PAGE = 20
IN_FORCE, EVERYTHING, NEWEST = "in-force", "all", "newest"
LONGEST_FILTER = 200
FILTERS = ("on", "unit", "type", "field", "state", "year")
FOLDED = ("scope", *FILTERS, "sort")  # Folded up on a small screen unless one is set.
KEPT = ("scope", "unit", "type", "field", "state", "year")  # What a saved search keeps besides its words.
LONGEST_QUERY = 500


class SearchForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """The words, and where to look for them."""

    class Meta:
        """A search changes nothing, so it carries no token."""

        csrf = False

    q = SearchField(lazy_gettext("Words or code"), render_kw={"autocomplete": "off", "maxlength": LONGEST_QUERY})
    scope = SelectField(lazy_gettext("Look in"), validate_choice=False)
    on = StringField(
        lazy_gettext("In force on the day"),
        # Words and no day: an example looks like a filter that is set.
        render_kw={"inputmode": "numeric", "placeholder": lazy_gettext("DD/MM/YYYY"), "autocomplete": "off"},
    )
    unit = SelectField(lazy_gettext("Unit"), validate_choice=False)
    type = SelectField(lazy_gettext("Document type"), validate_choice=False)
    field = SelectField(lazy_gettext("Field"), validate_choice=False)
    state = SelectField(lazy_gettext("State"), validate_choice=False)
    year = SelectField(lazy_gettext("In force from the year"), validate_choice=False)
    sort = SelectField(lazy_gettext("Order"), validate_choice=False)
    document = HiddenField()
    verbatim = HiddenField()

    def ask(self, head: Head) -> "SearchForm":
        """Fill in what there is to choose from at a head of the trail, and return the form."""
        names, english = finding.names(edge.reading(), edge.site().engine, head), language.locale() == "en"
        self.unit.choices = [
            ("", _("all units")),
            *((code, en if english else vi) for code, vi, en in names.units.values()),
        ]
        self.type.choices = [
            ("", _("all types")),
            *((code, en if english else vi) for code, vi, en in names.types.values()),
        ]
        self.scope.choices = [(IN_FORCE, _("what is in force")), (EVERYTHING, _("everything"))]
        self.sort.choices = [("", _("best first")), (NEWEST, _("newest first"))]
        self.count({})
        self.q.render_kw = {**self.q.render_kw, **_suggesting()}
        # The words themselves, so that other words are spelled otherwise again.
        self.verbatim.data = _asked() if _verbatim() else ""
        for name in ("document", "verbatim"):
            if not self._fields[name].data:
                del self[name]
        if not register.sees_more(edge.me()):
            del self.scope
            del self.state
        return self

    def count(self, facets: dict[str, list[Choice]]) -> None:
        """Say beside each value of the filters how many hits it leaves; the chosen value stays to be seen."""
        locale = language.locale()
        words = {"field": _("all fields"), "state": _("all states"), "year": _("all years")}
        for name, every in (*words.items(), ("unit", ""), ("type", "")):
            question = self._fields.get(name)
            if question is None:
                continue
            hits = {choice.key: choice.hits for choice in facets.get(name, ())}
            if name in words:
                known = [(choice.key, _label(name, choice, locale)) for choice in facets.get(name, ())]
                chosen = (request.args.get(name) or "")[:LONGEST_FILTER]
                if chosen and chosen not in hits:
                    known.append((chosen, state_word(chosen) if name == "state" else chosen))
                question.choices = [("", every), *known]
            elif facets:
                question.choices = [
                    (key, f"{label} ({hits[key]})" if key in hits else label) for key, label in question.choices
                ]


@blueprint.get("/search")
def show() -> str | Response:
    """Search, and show one page of what was found, or give all of it as a workbook (`format=xlsx`)."""
    head = audit.head(edge.reading())
    form, document = SearchForm(formdata=request.args).ask(head), _document()
    errors.show_again(
        lambda refused: _page(SearchForm(formdata=request.args).ask(head), document=document, refused=refused)
    )
    words = _asked()
    scope, on = _scope(), _instant(form.on.data)
    if not words:
        return _page(form, document=document)
    as_workbook = request.args.get("format") == "xlsx"
    found = finding.find(
        edge.reading(),
        edge.site().engine,
        words,
        reader=edge.me(),
        scope=scope,
        on=on,
        unit=form.unit.data or None,
        type=form.type.data or None,
        field=form.field.data or None,
        state=form.state.data or None if "state" in form else None,
        year=asking.read_number(form.year.data) or None,
        sort=NEWEST if form.sort.data == NEWEST else "relevance",
        document=document.id if document else None,
        verbatim=_verbatim(),
        limit=finding.MOST_SORTED if as_workbook else PAGE,
        offset=0 if as_workbook else (paging.number() - 1) * PAGE,
        counted=not as_workbook,
        head=head,
    )
    if as_workbook and not found.building:
        return _workbook(found, on)
    if paging.number() == 1 and not found.building:
        edge.site().heard.note(by=edge.me(), words=words, found=found.total > 0, took_ms=found.took_ms)
    form.count(found.facets)
    return _page(form, found, on=on, document=document)


def _page(
    form: SearchForm,
    found: Results | None = None,
    *,
    on: datetime | None = None,
    document: Document | None = None,
    refused: Refused | None = None,
) -> str:
    everything = request.args.get("scope") == EVERYTHING
    return render_template(
        "search/show.html",
        form=form,
        error=asking.mark(form, refused),
        found=found,
        rows=[_row(hit, on) for hit in found.hits] if found else [],
        of=_denominator(form, found, everything=everything, on=on, document=document) if found else 0,
        on=_written(on) if on else "",
        document=document,
        leave_url=_url(leaving_out=("document",)),
        everything=everything,
        may_widen=register.sees_more(edge.me()) and not everything,
        wider_url=_url(scope=EVERYTHING),
        suggestions=[(words, _url(q=words)) for words in found.suggestions] if found and not found.spelled else [],
        understood=[sentence.get(language.locale()) for sentence in found.understood] if found else [],
        building=bool(found and found.building),
        verbatim_url=_url(verbatim="1") if found and found.spelled else None,
        spelling_url=_url(leaving_out=("verbatim",)) if found and _verbatim() else None,
        only_present=on is not None and not register.sees_more(edge.me()),
        page=paging.of(found.total, PAGE) if found else None,
        clear_url=_clear_url(document),
        folded=[name for name in FOLDED if name in form],
        narrowed=_narrowed(document),
        first_url=_url(),
        xlsx_url=_url(format="xlsx") if found and 0 < found.total <= finding.MOST_SORTED else None,
        unfiltered_url=_unfiltered_url(),
        kept={name: request.args[name][:LONGEST_FILTER] for name in KEPT if request.args.get(name)},
        # A saved search cannot say “exactly so” when it is opened again.
        may_save=not _verbatim() and bool(found and found.total and on is None and document is None),
        saved_words=_really_searched(found) if found else "",
        loosened=bool(found and found.complete < found.total),
        request_url=_request_url() if found and not found.total and document is None else None,
    )


def _suggesting() -> dict[str, str]:
    """Return what makes the field of the words suggest while somebody types, as in the head of every page."""
    return {
        "data-suggest": url_for("searches.suggest"),
        "data-suggest-label": _("Suggestions"),
        "data-suggest-count": _("{n} suggestions; the arrow keys choose"),
        "data-suggest-none": _("no suggestions"),
        "data-suggest-recent": _("searched before"),
    }


def _request_url() -> str | None:
    """Return the form that asks for a document which does not exist yet, with the words in it, for whoever may ask."""
    if requests.drafting_refusal(edge.reading(), by=edge.me()) is not None:
        return None
    return url_for("requests.new", kind="new", title=(request.args.get("q") or "")[:LONGEST_FILTER])


def _row(hit: Hit, on: datetime | None) -> SimpleNamespace:
    """Return a hit as a row of every list, with the passage and, when superseded, the way to the edition in force.

    What was in force on another day says so with that day: without it the badge would speak of today.
    """
    return hit_row(
        hit,
        url_for("revisions.show", revision_id=hit.revision),
        note=_("page %(n)s", n=hit.page) if hit.page else "",
        note_url=url_for("renditions.read", revision_id=hit.revision, page=hit.page, q=_asked()) if hit.page else None,
        offer_url=url_for("revisions.show", revision_id=hit.in_force) if hit.in_force else None,
        state_label=_state_on(hit, on),
    )


def _state_on(hit: Hit, on: datetime | None) -> str:
    """Return the state of a hit of another day, with that day; empty where its state is that of today."""
    then = on is not None and hit.state == revisions.IN_FORCE
    return _("in force on %(day)s", day=_written(on)) if then else ""


def _written(on: datetime | None) -> str:
    """Write the day that was asked for, with its hour where a program asked for one."""
    return day(on) if on is None or on == clock.midnight(clock.local(on).date()) else moment(on)


def _workbook(found: Results, on: datetime | None) -> Response:
    """Return the hits as a workbook, each with the passage it was found by."""
    heads = [_("No."), _("Code"), _("Title"), _("Edition"), _("Effective from"), _("State"), _("Unit")]
    heads += [_("Document type"), _("Page"), _("Passage")]
    lines: list[list[Cell]] = [
        [
            number,
            hit.code,
            hit.title,
            hit.edition_text,
            clock.local(hit.effective_from).date() if hit.effective_from else None,
            _state_on(hit, on) or state_word(hit.state),
            hit.unit_name(language.locale()),
            hit.type,
            hit.page,
            "".join(piece for piece, _marked in hit.snippet),
        ]
        for number, hit in enumerate(found.hits, start=1)
    ]
    title = _("Search: %(words)s", words=_asked())
    return kept.workbook(f"{title}, {_('in force on %(day)s', day=_written(on))}" if on else title, heads, lines)


def _really_searched(found: Results) -> str:
    """Return the words that were searched, with what narrows them: a search is saved by these, since nobody respells it."""
    return Query.parse(_asked()).completed(found.spelled) if found.spelled else _asked()


def _verbatim() -> bool:
    """Say whether to search for exactly what was typed: `1` in a link, or the words that a form was about."""
    return bool(given := (request.args.get("verbatim") or "").strip()) and given in ("1", _asked())


def _document() -> Document | None:
    """Return the document in whose history to search, for people who see more of it than what is in force."""
    asked = asking.read_number(request.args.get("document"))
    if not request.args.get("document"):
        return None
    if not register.sees_more(edge.me()):
        abort(404)
    return register.load(edge.reading(), asked, by=edge.me()) or abort(404)


def _narrowed(document: Document | None) -> bool:
    """Say whether a filter is set; to look everywhere in a document's history is what its page asks for, and no filter."""
    usual = EVERYTHING if document else IN_FORCE
    return request.args.get("scope", usual) != usual or any(request.args.get(name) for name in (*FILTERS, "sort"))


def _clear_url(document: Document | None) -> str:
    """Return the same words without filters; in the history of a document they stay there."""
    names = ("q", "scope", "document") if document else ("q",)
    return f"{url_for('search.show')}?{urlencode({name: request.args.get(name, '') for name in names})}"


def _asked() -> str:
    return (request.args.get("q") or "").strip()[:LONGEST_QUERY]


def _label(name: str, choice: Choice, locale: str) -> str:
    """Return the words of a value, with how many hits it leaves."""
    if name == "state":
        return f"{state_word(choice.key)} ({choice.hits})"
    return f"{choice.en if locale == 'en' else choice.vi} ({choice.hits})"


def _denominator(
    form: SearchForm, found: Results, *, everything: bool, on: datetime | None, document: Document | None
) -> int:
    if document is not None:
        return len(revisions.of_document(edge.reading(), document, by=edge.me()))
    if not everything or on is not None:
        return found.among
    asked = Asked(unit=form.unit.data or "", type=form.type.data or "", state=register.EVERY)
    return register.find(edge.reading(), asked, by=edge.me(), limit=0).total


def _scope() -> str:
    scope = request.args.get("scope") or IN_FORCE
    if scope not in (IN_FORCE, EVERYTHING):
        raise Refused(
            Sentence(
                "Phạm vi tra cứu là “in-force” (còn hiệu lực) hoặc “all” (tất cả).",
                "The scope of a search is “in-force” or “all”.",
            ),
            field="scope",
        )
    if scope == EVERYTHING and not register.sees_more(edge.me()):
        raise NoRole(
            Sentence(
                "Bạn chỉ tra cứu được tài liệu còn hiệu lực. Hãy bỏ lựa chọn “tất cả”, hoặc hỏi người kiểm soát tài liệu.",
                "You may search what is in force only. Leave “everything” out, or ask a document controller.",
            ),
            field="scope",
        )
    return scope


def _instant(typed: str | None) -> datetime | None:
    """Read a day (its 00:00 at the office) or an ISO instant with an offset."""
    typed = (typed or "").strip()
    if "T" in typed:
        try:
            return clock.parse(typed)
        except (ValueError, OverflowError):
            pass  # Then it is no day either, and the sentence about days answers it.
    day = asking.read_day(typed, "on")
    return clock.midnight(day) if day else None


def _unfiltered_url() -> str | None:
    """Return the same words in the same scope without any filter or day; None where there is none to leave out."""
    without = _url(leaving_out=FILTERS)
    return without if without != _url() else None


def _url(*, leaving_out: Collection[str] = (), **changed: str) -> str:
    names = ("q", "scope", *FILTERS, "sort", "document")
    asked = {name: request.args[name] for name in names if request.args.get(name) and name not in leaving_out}
    if _verbatim() and "verbatim" not in leaving_out and "q" not in changed:
        asked["verbatim"] = "1"  # Until other words are asked for.
    return f"{url_for('search.show')}?{urlencode(asked | changed)}"
