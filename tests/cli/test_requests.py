"""Change requests by the command line alone: made, judged, accepted, listed."""

from tests.cli.conftest import PASSWORD, Terminal


def test_a_request_is_made_judged_and_accepted_by_commands(terminal: Terminal) -> None:
    made = terminal.json(
        *("request", "add", "new", "--title", "Quy trình chứng thực", "--type", "QT", "--reason", "Luật mới."),
        *("--drafter", "author", "--change", "1||Toàn bộ|Luật", "--as", "staff"),
    )
    assert (made["state"], made["missing"], made["number"][:4]) == ("draft", [], "001/")
    for trigger, who in (
        ("submit", "staff"),
        ("opine", "reviewer"),
        ("opine", "format-reviewer"),
        ("accept", "approver"),
    ):
        done = terminal.json("request", "act", made["request"], trigger, "--password", PASSWORD, "--as", who)
    assert (done["state"], [o["conclusion"] for o in done["opinions"]]) == ("accepted", ["agree", "agree"])
    assert terminal.json("revision", "show", done["revision"], "--as", "author")["state"] == "draft"
    listed = terminal.json("request", "list", "--state", "open", "--as", "controller")
    assert [row["request"] for row in listed["items"]] == [made["request"]]
    acts = terminal.json("request", "show", made["request"], "--as", "staff")["acts"]
    assert [act["trigger"] for act in acts] == ["cancel"]


def test_a_request_that_lacks_something_says_what(terminal: Terminal) -> None:
    made = terminal.json("request", "add", "withdraw", "--as", "staff")
    assert made["missing"] == ["Give the code of the document.", "Give the reason."]
    sentence = terminal.refused("request", "act", made["request"], "submit", "--password", PASSWORD, "--as", "staff")
    assert sentence == "Give the code of the document."
