"""The documents are true: what they name exists, what exists is named, and what they show works."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import click
import orjson
import pytest
import yaml

from citybrain.cli import COMMANDS, cli
from citybrain.json_schemas import all_schemas, stale
from citybrain.readonly import check_readonly
from citybrain.reference.command_line import commands as command_pages
from citybrain.reference.contracts import metrics
from citybrain.reference.dictionary import relations
from citybrain.reference.event_forms import PAYLOADS
from citybrain.reference.mapping_forms import PARTS
from citybrain.settings import Settings
from ingest.events_of import Counts, iter_events
from ingest.mapping import load_mapping, shipped_mappings
from ingest.outgoing import encode
from schemas.catalogue.models import id_of
from schemas.catalogue.read import shipped
from schemas.events import EVENT_MODELS, EVENT_TYPES, Kind, Position
from schemas.reasons import REASONS
from schemas.taxonomy import taxonomy
from schemas.topics import ALL
from sinks.store import Store
from streams.judge import judge
from streams.records import RawRecord, Reject, structured

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/*.md")])
FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
KINDS: tuple[Kind, ...] = get_args(Kind)


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def blocks(text: str, info: str) -> list[str]:
    """Fenced blocks with this info string."""
    return [found["text"] for found in FENCE.finditer(text) if found["info"] == info]


def commands(group: click.Group, context: click.Context, path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command below a group with its path, subcommands too."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, context, f"{path} {name}")


@pytest.fixture(scope="module")
def every_command() -> dict[str, click.Command]:
    return dict(commands(cli, click.Context(cli, info_name="citybrain"), "citybrain"))


def shown_commands() -> list[tuple[str, list[str]]]:
    """(page, words) of every command line of ours in a shell block or in an example of --help."""
    found = []
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        lines = [line for block in blocks(text, "sh") for line in block.splitlines()]
        lines += [line for block in blocks(text, "text") for line in block.splitlines() if line.startswith("    ")]
        for line in lines:
            if not re.match(r"\s*([A-Z_]+=\S+ )*(\.venv/bin/)?(citybrain|make) ", line):
                continue
            words = shlex.split(line, comments=True)
            words = [word for word in words if not re.match(r"(?!ARGS)[A-Z_]+=", word)]
            found.append((path.name, words))
            if words[:2] == ["make", "demo"]:  # ARGS="..." goes on to citybrain demo
                arguments = "".join(words[2:]).removeprefix("ARGS=")
                found.append((path.name, ["citybrain", "demo", *shlex.split(arguments)]))
    return found


def test_every_command_is_in_its_page_with_every_option(every_command: dict[str, click.Command]) -> None:
    text = page("cli.md")
    assert {name.split()[1] for name in every_command} == set(COMMANDS)
    for name, command in every_command.items():
        _, _, section = text.partition(f"## `{name}`\n")
        assert section, f"docs/cli.md has no {name}; run `make docs`"
        section = section.partition("\n## ")[0]
        options = [option for parameter in command.params for option in parameter.opts if option.startswith("-")]
        assert [option for option in options if option not in section] == []
        assert command.help, f"{name} has no help"


def test_help_in_the_page_does_not_depend_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    narrow = command_pages()
    monkeypatch.setenv("COLUMNS", "240")
    assert command_pages() == narrow


def test_every_topic_setting_metric_reason_and_class_is_in_its_page() -> None:
    named = {
        "topics.md": [topic.name for topic in ALL],
        "settings.md": list(Settings.names()),
        "metrics.md": re.findall(r"`(citybrain_\w+)`", metrics()),
        "reasons.md": list(REASONS),
        "taxonomy.md": [*taxonomy().classes, *taxonomy().categories],
        "catalogue.md": [
            id_of(entry) for name in ("information_classes", "departments", "scenarios") for entry in getattr(shipped(), name)
        ],
    }
    missing = {name: [word for word in words if f"`{word}`" not in page(name)] for name, words in named.items()}
    assert missing == {name: [] for name in named}


def test_every_setting_says_what_it_means() -> None:
    assert [name for name, meaning in Settings.names().items() if not meaning] == []


def test_every_table_and_column_is_in_the_dictionary_and_the_published_ones_are_explained() -> None:
    text = page("tables.md")
    for relation in relations():
        _, _, section = text.partition(f"### `{relation.name}`\n")
        assert section, f"docs/tables.md has no {relation.name}; run `make docs`"
        section = section.partition("\n### ")[0]
        assert [column.name for column in relation.columns if f"| `{column.name}` |" not in section] == []
        if relation.published:
            assert relation.meaning
            assert [column.name for column in relation.columns if not column.meaning] == []


def test_every_field_of_an_event_is_in_its_page() -> None:
    fields = {name for model in (*PAYLOADS.values(), *EVENT_MODELS.values(), Position) for name in model.model_fields}
    assert [name for name in sorted(fields - {"data"}) if f"| `{name}` |" not in page("events.md")] == []


@pytest.mark.parametrize("kind", KINDS)
def test_both_forms_of_the_example_events_are_accepted_and_say_the_same(kind: Kind) -> None:
    text = page("events.md")
    (whole,) = blocks(text, f"json structured {kind}")
    (header_lines,) = blocks(text, f"text headers {kind}")
    (data,) = blocks(text, f"json binary {kind}")
    headers = [(name, value.encode()) for name, value in (line.split(": ", 1) for line in header_lines.splitlines())]
    in_one = accepted(kind, RawRecord(0, 0, whole.encode(), []))
    in_two = accepted(kind, RawRecord(0, 0, data.encode(), headers))
    assert in_one == in_two
    assert orjson.loads(whole)["type"] == EVENT_TYPES[kind]


def accepted(kind: Kind, record: RawRecord) -> dict[str, Any]:
    verdict = judge(kind, record, structured(record))
    assert not isinstance(verdict, Reject), verdict
    return verdict


@pytest.mark.parametrize("where", ["README.md", "docs/mappings.md"])
def test_the_example_mappings_read_their_example_files(where: str, tmp_path: Path) -> None:
    text = (ROOT / where).read_text(encoding="utf-8")
    files = {found["info"].split()[1]: found["text"] for found in FENCE.finditer(text) if " " in found["info"]}
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    (data,) = tmp_path.glob("*.csv")
    (mapping_file,) = tmp_path.glob("*.yaml")
    mapping, counts = load_mapping(mapping_file), Counts()
    events = list(iter_events(mapping, data, counts))
    assert len(events) == files[data.name].count("\n") - 1
    assert {} == counts.left_out == counts.altered == counts.unmapped
    for event in events:
        accepted(event.kind, RawRecord(0, 0, encode(event).value, []))


def test_every_shipped_mapping_and_every_key_is_in_its_page() -> None:
    text = page("mappings.md")
    assert [name for name in shipped_mappings() if f"### `{name}`" not in text] == []
    keys = {name for model in PARTS.values() for name in model.model_fields}
    assert [key for key in sorted(keys) if f"| `{key}` |" not in text] == []


def test_every_file_and_function_that_the_walk_names_exists() -> None:
    named = re.findall(r"`([\w/.]+\.(?:py|sql))(?:::([\w.]+))?`", page("index.md"))
    assert len(named) > 40
    assert [f"{path}::{name}" for path, name in named if not defined(ROOT / path, name)] == []


def defined(path: Path, name: str) -> bool:
    """Whether a file defines a name: function, class, method (Class.method), module constant, or SQL view."""
    if not path.is_file():
        return False
    text = path.read_text(encoding="utf-8")
    if not name:
        return True
    if path.suffix == ".sql":
        return re.search(rf"^CREATE .*\b{name}\b", text, re.MULTILINE) is not None
    body: list[ast.stmt] = ast.parse(text).body
    for part in name.split("."):
        found = [node for node in body if part in names_of(node)]
        if not found:
            return False
        body = getattr(found[0], "body", [])
    return True


def names_of(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def test_a_name_that_does_not_exist_would_be_seen() -> None:
    assert not defined(ROOT / "streams/cook.py", "no_such_function")
    assert not defined(ROOT / "sinks/writer.py", "BlockWriter.no_such_method")
    assert not defined(ROOT / "sinks/sql/0002_views.sql", "no_such_view")


def test_every_command_line_that_is_shown_exists(every_command: dict[str, click.Command]) -> None:
    shown = shown_commands()
    assert len(shown) > 10
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    problems = []
    for where, (program, *words) in shown:
        if program == "make":
            problems += [f"{where}: make {word}" for word in words if not word.startswith("ARGS") and word not in targets]
            continue
        command = deepest(every_command, words)
        known = {option for parameter in command.params for option in parameter.opts} | {"--help"} if command else set()
        problems += [
            f"{where}: citybrain {' '.join(words)}: {word}" for word in words if word.startswith("--") and word not in known
        ]
        problems += [f"{where}: no command {words}"] if command is None else []
    assert problems == []


def deepest(every_command: dict[str, click.Command], words: list[str]) -> click.Command | None:
    """The command that words call, subcommand before group; the group itself for `citybrain --help`."""
    if words[0].startswith("-"):
        return cli
    found = (every_command.get(f"citybrain {' '.join(words[:count])}") for count in (3, 2, 1))
    return next((command for command in found if command), None)


def test_every_query_that_is_shown_runs_on_a_fresh_store(store: Store) -> None:
    queries = [words[2] for _, words in shown_commands() if words[1:2] == ["query"]]
    assert queries
    for sql in queries:
        store.query(check_readonly(sql))


def test_links_between_pages_lead_somewhere() -> None:
    broken = []
    for path in PAGES:
        prose = FENCE.sub("", path.read_text(encoding="utf-8"))
        for target in re.findall(r"\]\(([^)]+)\)", prose):
            if target.startswith("https://"):
                continue
            file, _, anchor = target.partition("#")
            there = (path.parent / file).resolve() if file else path
            if not there.exists() or (anchor and anchor not in anchors(there)):
                broken.append(f"{path.relative_to(ROOT)}: {target}")
    assert broken == []


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_decisions_are_numbered_once_dated_and_listed() -> None:
    """Numbers may have gaps: parts written side by side take blocks of numbers."""
    notes = sorted(path for path in (ROOT / "docs/decisions").glob("*.md") if path.name != "README.md")
    numbers = [int(path.name[:4]) for path in notes]
    assert numbers == sorted(set(numbers))
    contents = page("decisions/README.md")
    for path in notes:
        assert f"]({path.name})" in contents
        assert re.search(r"^20\d\d-\d\d$", path.read_text(encoding="utf-8"), re.MULTILINE), f"{path.name} has no date"


def test_decisions_that_code_names_exist() -> None:
    sources = [path for part in ("schemas", "ingest", "streams", "sinks", "citybrain") for path in (ROOT / part).rglob("*.py")]
    named = {name for path in sources for name in re.findall(r"docs/[\w./-]+\.md", path.read_text(encoding="utf-8"))}
    assert {"docs/settings.md", "docs/tables.md", "docs/topics.md"} <= named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_the_readme_states_every_guardrail_and_shows_a_clean_report() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    _, _, guardrails = text.partition("## Guardrails")
    for word in (
        "never people or groups", "speech, opinion, belief, peaceful assembly or petitioning", "allow-list", "counted by field name",
        "not stored by default", "0 < n < 5", "No per-person scoring", "audit trail",
    ):  # fmt: skip
        assert word in guardrails
    report = text.partition("<!-- report -->")[2].partition("<!-- /report -->")[0]
    assert "CLEAN:" in report
    assert "NOT CLEAN" not in report


def test_pages_name_no_machine() -> None:
    """A generated page that holds a path of the machine it was made on would differ on the next one."""
    texts = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in PAGES}
    assert [name for name, text in texts.items() if re.search(r"/(?:home|root|work|var/folders)/|\bfile://", text)] == []


def test_json_schemas_are_what_the_models_say(tmp_path: Path) -> None:
    assert stale(ROOT / "schemas/json") == []
    assert stale(tmp_path) == ["grid.json", "places.json", "police.json", "sensor.json"]


def test_json_schemas_hold_the_checks_that_are_functions_in_python() -> None:
    schema = all_schemas()["sensor.json"]
    (text,) = [choice for choice in schema["$defs"]["SensorData"]["properties"]["incident_class"]["anyOf"] if "enum" in choice]
    assert text["enum"] == list(taxonomy().classes)
    assert re.search(schema["properties"]["time"]["pattern"], "2026-11-23T08:00:00+08:00")
    assert not re.search(schema["properties"]["time"]["pattern"], "2026-11-23T08:00:00")
    assert schema["$defs"]["Position"]["not"] == {"properties": {"lon": {"const": 0}, "lat": {"const": 0}}}


def test_the_example_settings_are_read_and_nothing_in_them_is_misspelt() -> None:
    settings = Settings.load(ROOT / "deploy/citybrain.toml", {})
    assert settings.broker.bootstrap == "kafka:9092"


def test_the_image_holds_every_package() -> None:
    """What setuptools would package is copied into the image, so that no command is missing there."""
    copied = set(re.findall(r"^COPY (\w+) \1$", (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8"), re.MULTILINE))
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]["find"][
        "include"
    ]
    assert copied == {name.rstrip("*") for name in packages}


def test_the_compose_file_runs_commands_and_settings_that_exist() -> None:
    compose = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text(encoding="utf-8"))
    services = compose["services"]
    ours = {name: service for name, service in services.items() if service["image"].startswith("citybrain:")}
    assert {"topics", "load", "work"} <= set(ours)
    for service in ours.values():
        assert service["command"][0] in COMMANDS
        environment = {name: str(value) for name, value in service["environment"].items() if name != "CITYBRAIN_CONFIG"}
        Settings.load(ROOT / "deploy/citybrain.toml", environment)
        assert set(service["depends_on"]) <= set(services)
    assert all(":" in service["image"] and not service["image"].endswith(":latest") for service in services.values())
