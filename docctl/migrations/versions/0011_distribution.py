"""Distribution lists, read tasks and controlled copies, and which changes everybody reads again."""

import sqlalchemy as sa
from alembic import op

import docctl.database
from docctl.migrations.guarding import differs, guard

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TASK_PATHS = (
    ("waiting", "opened"),
    ("waiting", "exempt"),
    ("opened", "understood"),
    ("opened", "exempt"),
)
COPY_PATHS = (
    ("prepared", "delivered"),
    ("prepared", "return_requested"),
    ("delivered", "received"),
    ("delivered", "return_requested"),
    ("delivered", "lost"),
    ("received", "return_requested"),
    ("received", "lost"),
    ("return_requested", "returned"),
    ("return_requested", "destroyed"),
    ("return_requested", "lost"),
    ("returned", "destroyed"),
    ("returned", "archived"),
)


def upgrade() -> None:
    """Apply the change."""
    op.add_column("revision", sa.Column("major", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.execute("UPDATE revision SET major = (amendment = 0)")
    guard(
        "revision_major_is_frozen",
        "revision",
        "UPDATE",
        f"(OLD.state <> 'draft' OR NEW.state <> 'draft') AND ({differs('major')})",
        "whether a change is major changes only in a draft",
    )
    lists()
    tasks()
    copies()
    guards()


def lists() -> None:
    """Make the tables of the lists and of what they distributed."""
    op.create_table(
        "distribution_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("type_id", sa.Integer(), nullable=True),
        sa.Column("document_id", sa.Integer(), nullable=True),
        sa.Column("target", sa.String(length=10), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("medium", sa.String(length=10), nullable=False),
        sa.Column("copies", sa.Integer(), nullable=False),
        sa.Column("reads", sa.Boolean(), nullable=False),
        sa.Column("added_at", docctl.database.Instant(length=27), nullable=False),
        sa.Column("removed_at", docctl.database.Instant(length=27), nullable=True),
        sa.CheckConstraint("(type_id IS NULL) <> (document_id IS NULL)", name=op.f("ck_distribution_entry_owner")),
        sa.CheckConstraint(
            "target IN ('own_unit', 'unit', 'role', 'person', 'everybody')", name=op.f("ck_distribution_entry_target")
        ),
        sa.CheckConstraint(
            "(target = 'unit') = (unit_id IS NOT NULL) AND (target = 'person') = (account_id IS NOT NULL) "
            "AND (target = 'role') = (role <> '')",
            name=op.f("ck_distribution_entry_whom"),
        ),
        sa.CheckConstraint("medium IN ('electronic', 'paper', 'posted')", name=op.f("ck_distribution_entry_medium")),
        sa.CheckConstraint("copies BETWEEN 0 AND 200", name=op.f("ck_distribution_entry_copies")),
        sa.CheckConstraint(
            "copies = 0 OR target IN ('own_unit', 'unit', 'person')", name=op.f("ck_distribution_entry_holder")
        ),
        sa.CheckConstraint("reads OR copies > 0", name=op.f("ck_distribution_entry_something")),
        sa.ForeignKeyConstraint(["type_id"], ["document_type.id"], name=op.f("fk_distribution_entry_type_id")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_distribution_entry_document_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_distribution_entry_unit_id")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_distribution_entry_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_distribution_entry")),
    )
    op.create_index(op.f("ix_distribution_entry_type_id"), "distribution_entry", ["type_id"], unique=False)
    op.create_index(op.f("ix_distribution_entry_document_id"), "distribution_entry", ["document_id"], unique=False)
    op.create_table(
        "distribution",
        sa.Column("revision_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("issued", sa.Integer(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("made_at", docctl.database.Instant(length=27), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("issued >= 0 AND asked >= 0", name=op.f("ck_distribution_counts")),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name=op.f("fk_distribution_revision_id")),
        sa.ForeignKeyConstraint(["made_by_id"], ["account.id"], name=op.f("fk_distribution_made_by_id")),
        sa.PrimaryKeyConstraint("revision_id", name=op.f("pk_distribution")),
    )


def tasks() -> None:
    """Make the table of the read tasks."""
    op.create_table(
        "read_task",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("lock", sa.Integer(), nullable=False),
        sa.Column("workflow", sa.String(length=60), nullable=False),
        sa.Column("workflow_version", sa.Integer(), nullable=False),
        sa.Column("asked_at", docctl.database.Instant(length=27), nullable=False),
        sa.Column("opened_at", docctl.database.Instant(length=27), nullable=True),
        sa.Column("understood_at", docctl.database.Instant(length=27), nullable=True),
        sa.Column("exempt_reason", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'opened', 'understood', 'exempt')", name=op.f("ck_read_task_state")),
        sa.CheckConstraint(
            "state = 'exempt' OR (opened_at IS NULL) = (state = 'waiting')", name=op.f("ck_read_task_opened")
        ),
        sa.CheckConstraint(
            "(understood_at IS NOT NULL) = (state = 'understood')", name=op.f("ck_read_task_understood")
        ),
        sa.CheckConstraint("(state = 'exempt') = (exempt_reason <> '')", name=op.f("ck_read_task_exempt")),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name=op.f("fk_read_task_revision_id")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_read_task_account_id")),
        sa.ForeignKeyConstraint(
            ["workflow", "workflow_version"],
            ["workflow_version.name", "workflow_version.version"],
            name=op.f("fk_read_task_workflow"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_read_task")),
    )
    op.create_index("uq_read_task_reader", "read_task", ["revision_id", "account_id"], unique=True)
    op.create_index("ix_read_task_pending", "read_task", ["account_id", "state"], unique=False)


def copies() -> None:
    """Make the table of the copies."""
    op.create_table(
        "controlled_copy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("medium", sa.String(length=10), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("lock", sa.Integer(), nullable=False),
        sa.Column("workflow", sa.String(length=60), nullable=False),
        sa.Column("workflow_version", sa.Integer(), nullable=False),
        sa.Column("made_at", docctl.database.Instant(length=27), nullable=False),
        sa.Column("delivered_at", docctl.database.Instant(length=27), nullable=True),
        sa.Column("delivered_by_id", sa.Integer(), nullable=True),
        sa.Column("received_at", docctl.database.Instant(length=27), nullable=True),
        sa.Column("received_by_id", sa.Integer(), nullable=True),
        sa.Column("settled_at", docctl.database.Instant(length=27), nullable=True),
        sa.Column("settled_by_id", sa.Integer(), nullable=True),
        sa.Column("condition", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('prepared', 'delivered', 'received', 'return_requested', 'returned', 'lost', 'destroyed', "
            "'archived')",
            name=op.f("ck_controlled_copy_state"),
        ),
        sa.CheckConstraint("medium IN ('electronic', 'paper', 'posted')", name=op.f("ck_controlled_copy_medium")),
        sa.CheckConstraint("(unit_id IS NULL) <> (account_id IS NULL)", name=op.f("ck_controlled_copy_holder")),
        sa.CheckConstraint("number BETWEEN 1 AND total", name=op.f("ck_controlled_copy_number")),
        sa.CheckConstraint("state <> 'lost' OR condition <> ''", name=op.f("ck_controlled_copy_lost")),
        sa.CheckConstraint(
            "(settled_at IS NOT NULL) = (state IN ('returned', 'lost', 'destroyed', 'archived'))",
            name=op.f("ck_controlled_copy_settled"),
        ),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name=op.f("fk_controlled_copy_revision_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_controlled_copy_unit_id")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_controlled_copy_account_id")),
        sa.ForeignKeyConstraint(["delivered_by_id"], ["account.id"], name=op.f("fk_controlled_copy_delivered_by_id")),
        sa.ForeignKeyConstraint(["received_by_id"], ["account.id"], name=op.f("fk_controlled_copy_received_by_id")),
        sa.ForeignKeyConstraint(["settled_by_id"], ["account.id"], name=op.f("fk_controlled_copy_settled_by_id")),
        sa.ForeignKeyConstraint(
            ["workflow", "workflow_version"],
            ["workflow_version.name", "workflow_version.version"],
            name=op.f("fk_controlled_copy_workflow"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_controlled_copy")),
    )
    op.create_index("uq_controlled_copy_number", "controlled_copy", ["revision_id", "number"], unique=True)
    op.create_index("ix_controlled_copy_holder", "controlled_copy", ["unit_id", "account_id"], unique=False)
    op.create_index(op.f("ix_controlled_copy_account_id"), "controlled_copy", ["account_id"], unique=False)
    op.create_index(op.f("ix_controlled_copy_state"), "controlled_copy", ["state"], unique=False)


def guards() -> None:
    """Rows stay, each begins at its beginning, moves along its paths, and never becomes another one."""
    keys = {"distribution_entry": "id", "distribution": "revision_id", "read_task": "id", "controlled_copy": "id"}
    for table, key in keys.items():
        guard(f"{table}_never_deleted", table, "DELETE", "1 = 1", f"{table} rows are never deleted")
        taken = f"EXISTS (SELECT 1 FROM {table} AS other WHERE other.{key} = NEW.{key})"
        guard(f"{table}_never_replaced", table, "INSERT", taken, f"{table} rows are never replaced")
    guard(
        "distribution_entry_is_only_removed",
        "distribution_entry",
        "UPDATE",
        differs("id", "type_id", "document_id", "target", "unit_id", "role", "account_id", "medium", "copies", "reads")
        + " OR OLD.removed_at IS NOT NULL",
        "a line of a list can be removed, and nothing else",
    )
    guard(
        "distribution_only_grows",
        "distribution",
        "UPDATE",
        differs("revision_id", "asked", "made_at", "made_by_id") + " OR NEW.issued < OLD.issued",
        "further copies are issued, never fewer",
    )
    moving("read_task", "waiting", TASK_PATHS, ("id", "revision_id", "account_id", "asked_at"))
    moving("controlled_copy", "prepared", COPY_PATHS, ("id", "revision_id", "number", "total", "medium", "made_at"))
    guard(
        "controlled_copy_was_issued",
        "controlled_copy",
        "INSERT",
        "NEW.number > coalesce((SELECT issued FROM distribution WHERE distribution.revision_id = NEW.revision_id), 0)",
        "a copy bears a number that was issued",
    )


def moving(table: str, begins: str, paths: tuple[tuple[str, str], ...], fixed: tuple[str, ...]) -> None:
    """Guard where rows begin, which ways they go, and what of them stays."""
    guard(f"{table}_begins", table, "INSERT", f"NEW.state <> '{begins}'", f"a {table} begins as {begins}")
    ways = " OR ".join(f"(OLD.state = '{old}' AND NEW.state = '{new}')" for old, new in paths)
    guard(
        f"{table}_takes_a_known_path",
        table,
        "UPDATE",
        f"OLD.state <> NEW.state AND NOT ({ways})",
        f"a {table} cannot go from its state to that one",
    )
    guard(f"{table}_stays_itself", table, "UPDATE", differs(*fixed), f"a {table} never becomes another one")
