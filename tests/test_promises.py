"""What the README promises is what the program does: each reference table is made from the code and compared."""

import re
import tempfile
from pathlib import Path

import click
import pytest

from docctl import config, create_app, workflow
from docctl.cli import main
from docctl.site import open_site

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"


def section(name: str) -> str:
    found = re.search(rf"<!-- {name}: [^\n]*-->\n(.*?)<!-- end -->", README.read_text(encoding="utf-8"), re.S)
    assert found, f"README has no section {name}"
    return found[1]


def life_table() -> str:
    follows = workflow.load(ROOT / "workflows" / "revision.toml")
    lines = ["| trigger | from → to | who | rules |", "|---|---|---|---|"]
    for trigger in follows.triggers.values():
        who = ", ".join(dict.fromkeys(f"{seat.role} ({seat.name})" for seat in trigger.seats) or trigger.roles)
        rules = [*trigger.rules, *(f"asks {asked}" for asked in trigger.asks), *(["signs"] if trigger.signs else [])]
        rules += ["by decision"] if trigger.by_decision else []
        sources = ", ".join(trigger.sources) or "–"
        lines.append(
            f"| {trigger.name} | {sources} → {trigger.target} | {who} | {', '.join(rules).replace('_', ' ')} |"
        )
    return "\n".join(lines) + "\n"


def command_table() -> str:
    lines = ["```"]
    for name, command in commands(main):
        context = click.Context(command, info_name=name)
        usage = " ".join(command.collect_usage_pieces(context)).replace("[OPTIONS]", "").strip()
        options = [option for option in command.params if isinstance(option, click.Option) and option.name != "as_json"]
        flags = " ".join(f"{option.opts[0]}" if option.required else f"[{option.opts[0]}]" for option in options)
        lines.append(" ".join(part for part in (f"docctl {name}", usage, flags) if part))
        lines.append(f"    {(command.help or '').splitlines()[0]}")
    return "\n".join([*lines, "```"]) + "\n"


def commands(group: click.Command, above: str = "") -> list[tuple[str, click.Command]]:
    if not isinstance(group, click.Group):
        return [(above.strip(), group)]
    return [found for name, child in sorted(group.commands.items()) for found in commands(child, f"{above} {name}")]


def settings_table() -> str:
    lines = ["| setting | default | meaning |", "|---|---|---|"]
    for name, (default, meaning) in config.MEANINGS.items():
        lines.append(f"| `DOCCTL_{name.upper()}` | {default} | {meaning} |")
    return "\n".join(lines) + "\n"


def address_table(app) -> str:
    lines = ["| address | answers | |", "|---|---|---|"]
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, sorted(rule.methods))):
        if rule.endpoint in ("static", "bootstrap.static"):
            continue
        methods = ", ".join(sorted(rule.methods - {"HEAD", "OPTIONS"}))
        said = (app.view_functions[rule.endpoint].__doc__ or "").strip().splitlines()[0]
        address = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        lines.append(f"| `{address}` | {methods} | {said} |")
    return "\n".join(lines) + "\n"


def rewrite(name: str, content: str) -> None:
    whole = README.read_text(encoding="utf-8")
    begin = re.search(rf"<!-- {name}: [^\n]*-->\n", whole)
    assert begin, f"README has no section {name}"
    end = whole.index("<!-- end -->", begin.end())
    README.write_text(whole[: begin.end()] + content + whole[end:], encoding="utf-8")


def test_the_readme_shows_the_life_of_a_revision_as_the_workflow_file_has_it():
    assert section("life of a revision") == life_table()


def test_the_readme_lists_every_command_with_its_options():
    assert section("commands") == command_table()


def test_the_readme_lists_every_setting():
    assert set(config.MEANINGS) == set(config.Settings.__dataclass_fields__)
    assert section("settings") == settings_table()


def test_the_readme_lists_every_address(site):
    assert section("addresses") == address_table(create_app(site))


@pytest.mark.parametrize("name", re.findall(r"^  ?([a-z_]+/|[a-z_]+\.py)", README.read_text(encoding="utf-8"), re.M))
def test_the_map_names_only_what_is_there(name):
    assert (ROOT / name).exists() or (ROOT / "docctl" / name).exists()


if __name__ == "__main__":
    # `make reference` writes the tables that the tests above compare.
    with tempfile.TemporaryDirectory() as folder:
        opened = open_site(config.load({"DOCCTL_STORAGE": folder}), migrate=True)
        rewrite("life of a revision", life_table())
        rewrite("commands", command_table())
        rewrite("settings", settings_table())
        rewrite("addresses", address_table(create_app(opened)))
        opened.close()
