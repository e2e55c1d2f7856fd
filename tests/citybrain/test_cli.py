"""The command line as its users meet it: help that teaches, one readable line for a mistake, answers in every format."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import click
import pyarrow as pa
import pytest
from click.testing import CliRunner

from citybrain.cli import COMMANDS, cli, main
from citybrain.settings import Settings
from schemas.kafka_options import Broker, common
from sinks.migrate import migrate
from sinks.store import Store


def citybrain(*arguments: str, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does, with no settings but those given."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("CITYBRAIN_")}
    done = subprocess.run(
        [sys.executable, "-m", "citybrain", *arguments], capture_output=True, text=True, check=False, env=ours | environment
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command by its words, those of groups too."""
    with click.Context(cli) as context:
        for name in COMMANDS:
            command = cli.get_command(context, name)
            assert command is not None
            if isinstance(command, click.Group):
                yield from ((f"{name} {inner}", part) for inner, part in command.commands.items())
            yield name, command


class TestHelp:
    @pytest.mark.parametrize("name", list(COMMANDS))
    def test_each_command_teaches(self, name: str) -> None:
        done = CliRunner().invoke(cli, [name, "--help"])

        assert done.exit_code == 0, done.output
        assert "Usage:" in done.output
        assert "Examples:" in done.output
        assert f"citybrain {name}" in done.output.split("Examples:")[1], "an example of this very command"

    @pytest.mark.parametrize("name", list(COMMANDS))
    def test_the_list_says_what_each_is_for(self, name: str) -> None:
        done = CliRunner().invoke(cli, ["--help"])

        assert f"  {name} " in done.output
        assert COMMANDS[name].endswith(".")

    def test_every_option_is_explained(self) -> None:
        for name, command in commands():
            for option in command.params:
                if isinstance(option, click.Option):
                    assert option.help, f"{name} {option.opts}"

    def test_every_command_speaks_json(self) -> None:
        groups = {name for name, command in commands() if isinstance(command, click.Group)}
        for name, command in commands():
            if name not in groups | {"rejected export"}:  # which writes JSON and nothing else
                assert any("--json" in option.opts for option in command.params), name

    def test_help_needs_no_settings_and_no_broker(self) -> None:
        assert "Usage" in citybrain("query", "--help", CITYBRAIN_BROKER__BOOTSTRAP="nowhere:1").stdout

    def test_version(self) -> None:
        assert version("citybrain") in citybrain("--version").stdout


class TestMistakes:
    def test_an_unknown_setting_is_one_readable_line(self) -> None:
        done = citybrain("query", "SELECT 1", code=1, CITYBRAIN_BROKER__BOOTSTRP="x")

        assert done.stderr == (
            "Error: CITYBRAIN_BROKER__BOOTSTRP: nobody reads this setting; did you mean CITYBRAIN_BROKER__BOOTSTRAP?\n"
        )
        assert done.stdout == ""

    def test_an_unknown_command_is_told(self) -> None:
        assert "No such command" in citybrain("qurey", code=2).stderr

    def test_a_missing_argument_is_told(self) -> None:
        assert "Missing argument 'SQL'" in citybrain("query", code=2).stderr

    def test_a_config_file_that_is_not_there_is_told(self) -> None:
        assert "does not exist" in citybrain("--config", "none.toml", "topics", code=2).stderr

    def test_no_store_is_told_with_what_to_do(self, tmp_path: Path) -> None:
        told = citybrain("query", "SELECT 1", "--data-dir", str(tmp_path / "none"), code=1).stderr

        assert len(told.splitlines()) == 1
        assert "give --data-dir" in told

    def test_no_broker_is_told_with_what_to_do(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("citybrain.topics.common", lambda broker: common(broker) | {"bootstrap_timeout_ms": 300})
        monkeypatch.setattr("citybrain.logs.set_up_logs", lambda _: None)
        monkeypatch.setenv("CITYBRAIN_BROKER__BOOTSTRAP", "127.0.0.1:1")
        monkeypatch.setattr(sys, "argv", ["citybrain", "topics"])
        with pytest.raises(SystemExit) as left:
            main()

        assert left.value.code == 1
        assert "Error: no Kafka at 127.0.0.1:1" in (told := capsys.readouterr().err)
        assert "set CITYBRAIN_BROKER__BOOTSTRAP" in told


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of a deployment that has ended."""
    folder = tmp_path_factory.mktemp("cli")
    store = Store.connect(str(folder / "clickhouse"))
    migrate(store, "Asia/Shanghai")
    store.close()
    return folder


class TestQuery:
    SQL = "SELECT number AS n, concat('区', toString(number)) AS name FROM numbers(3)"

    def test_json(self, data: Path) -> None:
        wanted = [{"n": 0, "name": "区0"}, {"n": 1, "name": "区1"}, {"n": 2, "name": "区2"}]
        for options in (["--json"], ["--format", "JSONEachRow"]):
            done = citybrain("query", self.SQL, *options, "--data-dir", str(data))
            assert [json.loads(line) | {"n": int(json.loads(line)["n"])} for line in done.stdout.splitlines()] == wanted

        whole = json.loads(citybrain("query", self.SQL, "--format", "JSON", "--data-dir", str(data)).stdout)
        assert whole["rows"] == 3

    def test_csv_and_text(self, data: Path) -> None:
        done = citybrain("query", self.SQL, "--format", "CSVWithNames", "--data-dir", str(data))

        assert list(csv.reader(io.StringIO(done.stdout)))[:2] == [["n", "name"], ["0", "区0"]]
        assert "区2" in citybrain("query", self.SQL, "--data-dir", str(data)).stdout

    def test_binary_formats_arrive_whole(self, data: Path) -> None:
        answer = subprocess.run(
            [sys.executable, "-m", "citybrain", "query", self.SQL, "--format", "ArrowStream", "--data-dir", str(data)],
            capture_output=True,
            check=True,
        )

        assert pa.ipc.open_stream(answer.stdout).read_all()["n"].to_pylist() == [0, 1, 2]

    def test_what_is_no_read_is_refused(self, data: Path) -> None:
        for sql, told in [
            ("DROP TABLE events", "got DROP"),
            ("SELECT file('/etc/passwd')", "reaches outside"),
            ("SELECT * FROM nowhere", "nowhere"),
        ]:
            done = citybrain("query", sql, "--data-dir", str(data), code=1)
            assert told in done.stderr
            assert len(done.stderr.splitlines()) == 1
            assert done.stdout == ""

    def test_a_reader_that_has_enough_is_no_error(self, data: Path) -> None:
        """As `citybrain query ... | head -1`."""
        command = f"{sys.executable} -m citybrain query 'SELECT * FROM numbers(2000000)' --format TSV --data-dir {data}"
        done = subprocess.run(f"{command} | head -1", shell=True, capture_output=True, text=True, check=True)  # noqa: S602

        assert (done.stdout, done.stderr) == ("0\n", "")

    def test_the_data_folder_may_come_from_the_settings(self, data: Path) -> None:
        assert citybrain("query", "SELECT 1", "--format", "TSV", CITYBRAIN_DATA_DIR=str(data)).stdout == "1\n"


class TestTopicsAndCheck:
    def test_topics_twice(self, broker: Broker) -> None:
        done = json.loads(citybrain("topics", "--json", CITYBRAIN_BROKER__BOOTSTRAP=broker.bootstrap).stdout)

        assert done["created"] == []
        assert {topic["name"] for topic in done["topics"]} >= {"citybrain.sensor", "citybrain.risk"}
        assert done["problems"] == []

    def test_check_of_a_good_deployment(self, broker: Broker, data: Path) -> None:
        done = citybrain("check", "--data-dir", str(data), CITYBRAIN_BROKER__BOOTSTRAP=broker.bootstrap)

        assert [line.split() for line in done.stdout.splitlines()] == [
            [name, "ok"] for name in ("rules", "catalogue", "places", "tiers", "topics", "store")
        ]

    def test_check_names_what_is_wrong_and_its_fix(self, tmp_path: Path, broker: Broker) -> None:
        done = citybrain(
            "check", "--json", "--data-dir", str(tmp_path), code=1,
            CITYBRAIN_BROKER__BOOTSTRAP=broker.bootstrap, CITYBRAIN_CITY__PLACES=str(tmp_path / "none.geojson"),
        )  # fmt: skip
        found = json.loads(done.stdout)

        assert found["ok"] is False
        assert "none.geojson" in found["problems"]["places"][0]
        assert "--data-dir" in found["problems"]["store"][0]
        assert found["problems"]["topics"] == []

    def test_migrate_twice(self, tmp_path: Path) -> None:
        first, second = (
            citybrain("migrate", *options, CITYBRAIN_CLICKHOUSE__URL=str(tmp_path / "clickhouse")).stdout
            for options in (["--json"], [])
        )

        assert json.loads(first)["applied"]
        assert second == "nothing to do: every migration is applied\n"


class TestConfig:
    def test_parts_that_a_command_starts_read_the_same_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """`up` starts its parts as commands: what the file says has to reach them."""
        (tmp_path / "city.toml").write_text("[work]\nkeep_text = true\n")
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("CITYBRAIN_CONFIG", raising=False)
        seen: list[Settings] = []

        @click.command()
        def look() -> None:
            seen.append(Settings.load())

        monkeypatch.setattr("citybrain.commands.query.command", look)
        try:
            done = CliRunner().invoke(cli, ["--config", "city.toml", "query"])
        finally:  # monkeypatch did not set it, so it would bring it back: every later test would run with this file
            told = os.environ.pop("CITYBRAIN_CONFIG", "")

        assert done.exit_code == 0, done.output
        assert seen[0].work.keep_text
        assert Path(told).is_absolute()
