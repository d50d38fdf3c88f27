"""The house rules of the code: who may import whom, the one door between states, and models that equal the migrations."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from docctl.database import Database, upgrade
from tests.schema import every_table

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "docctl"

# Each part imports only what stands to its left; the edges (web, api, cli) stand on all of them and on nothing of each other.
LEAVES = ("clock", "rules", "text", "workflow", "deadlines")
ORDER = (
    *LEAVES,
    "redline",
    "citations",
    *(
        "config",
        "database",
        "units",
        "people",
        "audit",
        "notices",
        "authority",
        "lifecycle",
        "contents",
        "documents",
        "tokens",
    ),
    *(
        "revisions",
        "histories",
        "comparison",
        "distribution",
        "recall",
        "requests",
        "procedures",
        "decisions",
        "retention",
        "intervals",
        "chains",
        "status",
        "posting",
        "register",
        "openings",
        "holidays",
        "external",
        "watch",
        "reviews",
        "internal_audits",
        "reports",
        "tasks",
        "leaving",
        "reorganising",
        "announcing",
        "reminding",
        "mailing",
        "files",
        "renditions",
        "search",
        "searches",
        "site",
        "checkpoints",
        "anchoring",
        "jobs",
        "verify",
        "backup",
        "evidence",
    ),
    *("exporting", "importing", "demo"),
)
EDGES = ("web", "api", "cli")

# What only named files may import; a folder stands for the files in it.
KEPT = {
    "transitions": ("workflow/",),
    "whoosh": ("search/whoosh.py", "search/codec.py"),
    "tantivy": ("search/tantivy.py",),
    "flask": ("__init__.py", "web/", "api/"),
    "flask_login": ("web/",),
    "flask_wtf": ("web/",),
    "flask_babel": ("web/", "api/"),
    "flask_bootstrap": ("web/",),
    "jinja2": ("web/",),
    "werkzeug": ("web/", "api/"),
    "click": ("cli/",),
    "waitress": ("cli/",),
    "alembic": ("database.py", "migrations/"),
}
# The pages know nouns, not the database; these two are the edge itself.
PAGES_MAY_SQLALCHEMY = {
    "web/edge.py": {"sqlalchemy.orm"},  # Gives the request its unit of work, which is a Session.
    "web/errors.py": {"sqlalchemy.exc"},  # Translates what the database's own guards refused into an answer.
    "api/calling.py": {"sqlalchemy.exc"},  # The same, as a problem for a program.
}
# A record is born in its noun's verb; every later state comes from the one door.
BORN = {
    *(("revisions", "draft"), ("revisions", "import_in_force"), ("decisions", "draft"), ("requests", "draft")),
    *(("histories", "_edition"), ("distribution", "Issuing.prepare"), ("distribution", "Issuing._ask")),
    ("distribution", "_ask_anew"),
    ("recall", "begin"),
    ("retention", "draft"),
    ("watch", "_opened"),
    ("internal_audits", "open_audit"),
    ("internal_audits", "raise_finding"),
}
RECORDS = (
    *("Revision", "Decision", "ChangeRequest", "ReadTask", "ControlledCopy", "Recall", "Disposal", "LegalAssessment"),
    *("InternalAudit", "Nonconformity"),
)
TABLES = "revision|decision|change_request|read_task|controlled_copy|recall|disposal|legal_assessment|internal_audit|nonconformity"
WRITES = re.compile(rf"\b(UPDATE|INSERT INTO|REPLACE INTO|DELETE FROM)\s+({TABLES})\b", re.I)
# Pages that others may import: the choice of a language is a page and a question that every page asks.
SHARED = {"web/language.py"}
# The edge of a request is the same for the pages and for other programs; the pages themselves are not the programs'.
API_MAY_WEB = ("edge", "errors", "language", "security")
# Stands for a record inside the pure machine, and is never stored.
NEVER_STORED = {("workflow/moving.py", "_Record")}


@dataclass(frozen=True)
class Module:
    """A module of docctl: its path below the package, and its syntax tree."""

    path: str
    tree: ast.Module

    @property
    def part(self) -> str:
        return self.path.split("/")[0].removesuffix(".py")

    def imported(self) -> Iterator[str]:
        """Yield every dotted name that is imported, inside functions too."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (name.name for name in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.path} imports relatively"
                yield from (f"{node.module}.{name.name}" for name in node.names)


def modules() -> list[Module]:
    return [planted(str(file.relative_to(PACKAGE)), file.read_text()) for file in sorted(PACKAGE.rglob("*.py"))]


def planted(path: str, source: str) -> Module:
    return Module(path, ast.parse(source))


def wrong_imports(module: Module) -> list[str]:
    """Return every import of a module that the rule of the house forbids."""
    found = []
    for name in sorted(set(module.imported())):
        top, *rest = name.split(".")
        kept = KEPT.get(top)
        if kept is not None and not any(module.path == file or module.path.startswith(file) for file in kept):
            found.append(f"{module.path} imports {name}: only {', '.join(kept)} may")
        if top == "docctl":
            found += wrong_neighbours(module, name, rest[0] if rest else "")
        if top == "sqlalchemy" and module.part in LEAVES:
            found.append(f"{module.path} is a leaf and imports {name}")
        if top == "sqlalchemy" and module.part in ("web", "api"):
            allowed = PAGES_MAY_SQLALCHEMY.get(module.path, set())
            if not any(name.startswith(f"{package}.") for package in allowed):
                found.append(f"{module.path} imports {name}: the pages know nouns, not the database")
    return found


def wrong_neighbours(module: Module, name: str, other: str) -> list[str]:
    here = module.part
    if here in ("__init__", "migrations") or name == "docctl" or other in (here, "__version__"):
        return []
    if here == "cli" and name == "docctl.create_app":
        return []  # `serve` serves the pages, and knows nothing else of them.
    if here == "api" and any(name.startswith(f"docctl.web.{part}") for part in API_MAY_WEB):
        return []
    if here in EDGES:
        return [] if other in ORDER else [f"{module.path} imports {name}: an edge knows nouns only"]
    if here not in ORDER:
        return [f"{module.path}: say in tests/test_architecture.py where {here} stands among the nouns"]
    if here in LEAVES and not (here == "workflow" and other == "rules"):
        return [f"{module.path} is a leaf and imports {name}"]
    if other not in ORDER or ORDER.index(other) > ORDER.index(here):
        return [f"{module.path} imports {name}, which does not stand to its left"]
    return []


def other_doors(module: Module) -> list[str]:
    """Return every place that sets the state of a record without passing the one door."""
    found = []
    for function, node in within(module.tree):
        where = f"{module.path}:{getattr(node, 'lineno', 0)}"
        if (module.path, function.split(".")[0]) in NEVER_STORED:
            continue
        if isinstance(node, ast.Attribute) and node.attr == "state" and isinstance(node.ctx, ast.Store):
            found.append(f"{where} assigns .state")
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        sets = {keyword.arg for keyword in node.keywords}
        if called in ("setattr", "__setattr__") and any(is_text(given, "state") for given in node.args):
            found.append(f"{where} sets state by its name")
        if called == "values" and ("state" in sets or None in sets) and function != "move":
            found.append(f"{where} updates a state in SQL")
        if called in RECORDS and (module.part, function) not in BORN:
            found.append(f"{where} makes a {called} outside its noun's own verb")
        if called == "update" and any(getattr(given, "id", "") in RECORDS for given in node.args):
            found.append(f"{where} updates a {getattr(node.args[0], 'id', '')} behind its verbs")
    for node in ast.walk(module.tree):
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        if module.part != "migrations" and WRITES.search(text):
            found.append(f"{module.path}:{node.lineno} writes a record in raw SQL")
    return found


def within(tree: ast.AST, function: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Yield every node with the name of the function (or class and method) that it stands in."""
    for node in ast.iter_child_nodes(tree):
        yield function, node
        named = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        yield from within(node, (f"{function}.{node.name}" if function else node.name) if named else function)


def is_text(node: ast.AST, text: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == text


def state_comparisons(template: str) -> list[str]:
    """Return what a template decides by comparing a state, which is for the workflow to decide."""
    code = re.findall(r"\{[{%].*?[%}]\}", template, re.S)
    return [
        piece
        for piece in code
        if re.search(r"\.state\s*(==|!=|\bin\b|\bnot in\b|\bis\b)|(==|!=)\s*[\w.]+\.state\b", piece)
    ]


def test_every_part_imports_only_what_stands_to_its_left() -> None:
    assert [wrong for module in modules() for wrong in wrong_imports(module)] == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("clock.py", "from docctl import rules"),
        ("text.py", "import sqlalchemy"),
        ("workflow/moving.py", "from docctl.database import Base"),
        ("people.py", "from docctl import revisions"),
        ("audit.py", "def late():\n    from docctl.documents import Document"),
        ("lifecycle.py", "import flask"),
        ("decisions.py", "from docctl.web import edge"),
        ("revisions.py", "from transitions import Machine"),
        ("search/following.py", "import whoosh.index"),
        ("web/documents.py", "from sqlalchemy import select"),
        ("web/edge.py", "from sqlalchemy.exc import IntegrityError"),
        ("web/documents.py", "from docctl.cli import main"),
        ("cli/documents.py", "from docctl.web import edge"),
        ("cli/documents.py", "from flask import Flask"),
        ("statistics.py", "from docctl import revisions"),
    ],
)
def test_an_import_that_breaks_the_rule_is_noticed(path: str, source: str) -> None:
    assert wrong_imports(planted(path, source))


def test_a_page_never_imports_another_page() -> None:
    pages = {module.path for module in modules() if module.part == "web" and defines(module, "blueprint")} - SHARED
    assert len(pages) > 3
    names = {f"docctl.web.{path.removeprefix('web/').removesuffix('.py').replace('/', '.')}" for path in pages}
    broken = [
        f"{module.path} imports {name}"
        for module in modules()
        if module.path != "web/__init__.py"
        for name in set(module.imported())
        if any(name == page or name.startswith(f"{page}.") for page in names - {page_name(module)})
    ]
    assert broken == []


def page_name(module: Module) -> str:
    return f"docctl.{module.path.removesuffix('.py').replace('/', '.')}"


def defines(module: Module, name: str) -> bool:
    targets = [target for node in module.tree.body if isinstance(node, ast.Assign) for target in node.targets]
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def test_nobody_sets_a_state_but_the_one_door() -> None:
    assert [door for module in modules() for door in other_doors(module)] == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("web/revisions.py", "def approve(row):\n    row.state = 'approved'"),
        ("decisions.py", "def shortcut(row):\n    setattr(row, 'state', 'executed')"),
        ("jobs.py", "def timer(session):\n    session.execute(update(Revision).values(lock=2))"),
        ("jobs.py", "def timer(session, table):\n    session.execute(anything(table).values(state='issued'))"),
        ("jobs.py", "def timer(session, given):\n    session.execute(anything(given).values(**given))"),
        ("demo/loading.py", "def fill():\n    return Revision(state='issued')"),
        ("jobs.py", "SQL = \"UPDATE revision SET state = 'approved'\""),
    ],
)
def test_another_door_is_noticed(path: str, source: str) -> None:
    assert other_doors(planted(path, source))


def test_templates_ask_and_never_compare_states() -> None:
    templates = sorted((ROOT / "templates").rglob("*.html"))
    assert templates
    assert [(file.name, piece) for file in templates for piece in state_comparisons(file.read_text())] == []


@pytest.mark.parametrize(
    "template",
    ["{% if revision.state == 'draft' %}", "{{ 'x' if 'draft' != row.state }}", "{% if row.state in ('draft',) %}"],
)
def test_a_template_that_compares_a_state_is_noticed(template: str) -> None:
    assert state_comparisons(template)


def test_every_module_says_in_its_first_lines_what_it_is() -> None:
    silent = [m.path for m in modules() if m.tree.body and not (ast.get_docstring(m.tree) or "").strip()]
    assert silent == []


def test_the_models_are_the_schema_that_the_migrations_make(tmp_path: Path) -> None:
    declared = every_table()
    assert {"decision", "rendition", "holiday"} <= set(declared.tables)
    database = Database(f"sqlite:///{tmp_path / 'fresh.db'}")
    upgrade(database)
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), declared) == []
    database.dispose()
