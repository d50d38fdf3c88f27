"""A workflow file with a mistake is refused, and every mistake is named with its file and line."""

import contextlib
import hashlib
from pathlib import Path

import pytest

from docctl import workflow
from docctl.workflow import WorkflowError

FILES = Path(__file__).parents[2] / "workflows"

GOOD = """\
name = "memo"
version = 3
label = { vi = "Công văn", en = "Memo" }

[states.draft]
label = { vi = "Dự thảo", en = "Draft" }
waiting = { vi = "Chờ soạn.", en = "Waiting for a draft." }
initial = true

[states.sent]
label = { vi = "Đã gửi", en = "Sent" }
waiting = { vi = "Xong.", en = "Done." }
final = true

[[triggers]]
name = "send"
label = { vi = "Gửi", en = "Send" }
happens = { vi = "Công văn được gửi.", en = "The memo is sent." }
from = ["draft"]
to = "sent"
roles = ["author"]
rules = [
    "the_author",
    "has_file",
]
asks = ["reason"]
signs = "approved"
"""
MEMO = Path("site/memo.toml")


def line_of(text: str, words: str) -> int:
    return text[: text.index(words)].count("\n") + 1


def refused(text: str) -> list[str]:
    with pytest.raises(WorkflowError) as caught:
        workflow.parse(text, path=MEMO)
    return str(caught.value).splitlines()


def test_the_good_example_is_read_with_its_version_and_the_hash_of_its_bytes() -> None:
    memo = workflow.parse(GOOD, path=MEMO)
    assert (memo.name, memo.version, memo.initial) == ("memo", 3, "draft")
    assert memo.sha256 == hashlib.sha256(GOOD.encode()).hexdigest()
    assert memo.source == GOOD
    assert memo.triggers["send"].rules == ("the_author", "has_file")


SECOND = """
[[triggers]]
name = "again"
label = { vi = "Lại", en = "Again" }
happens = { vi = "Lại.", en = "Again." }
from = ["draft"]
to = "sent"
roles = ["author"]
"""
STATE = """
[states.lost]
label = { vi = "Lạc", en = "Lost" }
waiting = { vi = "–", en = "–" }
"""

# What is written in place of what, the words whose line is named, and a piece of the sentence.
MISTAKES = [
    ("a key that does not exist", 'roles = ["author"]', 'role = ["author"]', 'role = ["', 'did you mean "roles"?'),
    ("a rule that does not exist", '"has_file"', '"has_fille"', '"has_fille"', 'no rule "has_fille"; did you mean'),
    ("a role that does not exist", '["author"]', '["writer"]', '"writer"', 'no role "writer"'),
    ("the administrator", '["author"]', '["admin"]', '"admin"', 'no role "admin"'),
    ("a state to come from that does not exist", '["draft"]', '["draught"]', '"draught"', 'no state "draught"'),
    ("a state to go to that does not exist", 'to = "sent"', 'to = "send"', 'to = "send"', 'did you mean "sent"?'),
    ("a question that does not exist", 'asks = ["reason"]', 'asks = ["why"]', '"why"', 'no question "why"'),
    ("a meaning that does not exist", '"approved"', '"agreed"', '"agreed"', 'no meaning of a signature "agreed"'),
    ("a label without English", 'vi = "Gửi", en = "Send"', 'vi = "Gửi"', 'label = { vi = "Gửi" }', '"en" is missing'),
    ("an empty Vietnamese label", 'vi = "Đã gửi"', 'vi = " "', 'label = { vi = " "', '"label" has no text in vi'),
    ("a blank that nothing fills", "Waiting for a draft.", "Wait {x}.", "Wait {x}", "may be used: {seats}"),
    ("a brace left open", "Waiting for a draft.", "Wait {seats.", "Wait {seats", "braces that nothing fills"),
    ("a label with braces", 'en = "Send"', 'en = "{send}"', "{send}", "braces that nothing fills"),
    ("no sentence of what happens", "happens =", "# happens =", "[[triggers]]", '"happens" is missing'),
    ("no version", "version = 3", "", 'name = "memo"', '"version" is missing'),
    ("a version in quotes", "version = 3", 'version = "3"', "version = ", '"version" must be a whole number'),
    ("a version that is no number", "version = 3", "version = true", "version = ", "must be a whole number"),
    ("version nought", "version = 3", "version = 0", "version = 0", '"version" starts at 1'),
    ("another name than its file", 'name = "memo"', 'name = "letter"', 'name = "letter"', 'that of the file, "memo"'),
    ("no initial state", "initial = true", "", "[states.draft]", "No state is initial"),
    ("two initial states", "final = true", "initial = true\nfinal = true", "initial = true\nfinal", "Only one state"),
    ("neither roles nor seats", 'roles = ["author"]', "", "[[triggers]]", 'either "roles" or "seats"'),
    ("a rule that is a number", '"has_file"', "7", "rules = [", '"rules" must be a list of names'),
    ("no end", "final = true", "", "[states.sent]", 'From "sent" no way leads to a final state'),
    ("a list of words for triggers", "[[triggers]]", 'triggers = ["a"]\n[x]', "[x]", 'no key "x"'),
    ("a thing after the end", 'from = ["draft"]', 'from = ["draft", "sent"]', "[states.sent]", '"sent" is final, yet'),
    ("a state that is no table", "[states.sent]", "[states]\nx = 1\n[states.sent]", "x = 1", "must hold tables"),
    ("an empty name", 'name = "send"', 'name = ""', 'name = ""', 'The name "" may hold'),
    ("a state without a name", "[states.sent]", '[states.""]', '[states.""]', 'The name "" may hold'),
    ("a name with spaces", 'name = "send"', 'name = "send it"', 'name = "send it"', 'The name "send it" may hold'),
    ("a line that is not TOML", "version = 3", "version = ", "version = ", "This is not TOML"),
    ("the same key twice", "version = 3", "version = 3\nversion = 4", "version = 4", "This is not TOML"),
]


@pytest.mark.parametrize(
    ("old", "new", "words", "piece"), [mistake[1:] for mistake in MISTAKES], ids=[mistake[0] for mistake in MISTAKES]
)
def test_a_mistake_is_named_with_file_and_line(old: str, new: str, words: str, piece: str) -> None:
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    named = f"{MEMO}:{line_of(text, words)}: "
    assert any(line.startswith(named) and piece in line for line in refused(text)), refused(text)


@pytest.mark.parametrize(
    ("added", "words", "piece"),
    [
        (STATE, "[states.lost]", 'Nothing leads to "lost"'),
        (STATE, "[states.lost]", 'From "lost" no way leads to a final state'),
        (SECOND.replace("again", "send"), 'name = "send"\nlabel = { vi = "Lại"', '"send" is there twice'),
        (SECOND.replace('["draft"]', "[]"), 'to = "sent"\nroles = ["author"]\n', 'the initial state, "draft"'),
        (SECOND + 'seats = [{ name = "a", role = "reviewer" }]\n', '[[triggers]]\nname = "again"', "and not both"),
        (
            SECOND.replace('roles = ["author"]', 'seats = [{ name = "a", role = "reviewers" }]'),
            "seats = [",
            'did you mean "reviewer"?',
        ),
        (SECOND.replace('roles = ["author"]', 'seats = [{ name = "a", role = "reviewer" }]'), "seats", '"label" is'),
    ],
)
def test_a_mistake_in_what_is_added_is_named_with_file_and_line(added: str, words: str, piece: str) -> None:
    text = GOOD + added
    number = text[: text.rindex(words)].count("\n") + 1
    assert any(line.startswith(f"{MEMO}:{number}: ") and piece in line for line in refused(text)), refused(text)


def test_all_mistakes_of_a_file_are_listed_in_the_order_of_its_lines_and_in_both_languages() -> None:
    text = GOOD.replace("version = 3", "version = 0").replace('"has_file"', '"has_fil"').replace('["author"]', '["x"]')
    text = text.replace("final = true", "")
    with pytest.raises(WorkflowError) as caught:
        workflow.parse(text, path=MEMO)
    lines = [problem.line for problem in caught.value.problems]
    assert lines == [2, 5, 10, line_of(text, '"x"'), line_of(text, '"has_fil"')]
    assert "Không có quy tắc “has_fil”; có phải “has_file”?" in caught.value.text("vi")


def test_a_misspelt_state_is_named_once_and_not_for_what_follows_from_it() -> None:
    assert len(refused(GOOD.replace('to = "sent"', 'to = "sendt"'))) == 1


# Values of every kind that TOML knows, for places where another kind is meant.
STRANGE = ["7", "0.5", "true", '""', '"x"', "[]", "[[1]]", '["x", 2]', "{}", "{ x = 1 }", "[{}]", "1979-05-27"]


@pytest.mark.parametrize("strange", STRANGE)
def test_a_strange_value_anywhere_is_refused_in_words_or_read_but_never_breaks_the_reader(strange: str) -> None:
    lines = [*GOOD.splitlines(), 'seats = [{ name = "a", role = "reviewer", label = { vi = "A", en = "A" } }]']
    for number, line in enumerate(lines):
        if " = " not in line or line.rstrip().endswith("["):
            continue
        key = line.split(" = ")[0]
        text = "\n".join([*lines[:number], f"{key} = {strange}", *lines[number + 1 :]])
        with contextlib.suppress(WorkflowError):
            workflow.parse(text, path=MEMO)
    for whole in ("states", "triggers", "label"):
        assert refused(f"{whole} = {strange}")


def test_an_empty_file_is_told_all_that_it_lacks() -> None:
    assert refused("") == [
        *(f'{MEMO}:1: "{key}" is missing.' for key in ("name", "version", "label", "states", "triggers")),
        f"{MEMO}:1: No state is initial (initial = true).",
    ]


def test_a_file_edited_under_its_old_version_is_told_to_raise_it() -> None:
    error = WorkflowError.changed(workflow.parse(GOOD, path=MEMO))
    assert str(error).startswith(f"{MEMO}:2: ")
    assert '"version = 4"' in str(error)


def test_a_sites_own_file_comes_before_the_one_that_is_shipped(tmp_path: Path) -> None:
    own = (FILES / "decision.toml").read_text("utf-8").replace("version = 1", "version = 2")
    (tmp_path / "decision.toml").write_text(own, "utf-8")
    found = workflow.load_folder(tmp_path, FILES)
    shipped = {path.stem: workflow.load(path).version for path in FILES.glob("*.toml")}
    assert {name: flow.version for name, flow in found.items()} == {**shipped, "decision": 2}


def test_the_mistakes_of_all_files_of_a_folder_are_listed_together(tmp_path: Path) -> None:
    (tmp_path / "memo.toml").write_text(GOOD.replace("has_file", "has_nothing"), "utf-8")
    (tmp_path / "note.toml").write_bytes(b'name = "note"\nlabel = { vi = "C\xf4ng v\xe3n" }\n')
    with pytest.raises(WorkflowError) as caught:
        workflow.load_folder(tmp_path)
    assert [(problem.path.name, problem.line) for problem in caught.value.problems] == [
        ("memo.toml", 24),
        ("note.toml", 2),
    ]


def test_the_hash_is_that_of_the_file_on_disk_whatever_its_line_ends(tmp_path: Path) -> None:
    raw = GOOD.replace("\n", "\r\n").encode()
    (tmp_path / "memo.toml").write_bytes(raw)
    assert workflow.load(tmp_path / "memo.toml").sha256 == hashlib.sha256(raw).hexdigest()
