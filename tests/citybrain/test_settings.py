"""Settings: environment over file over defaults; a name nobody reads is a mistake that names the nearest one."""

from __future__ import annotations

from pathlib import Path

import pytest

from citybrain.settings import Settings
from schemas.errors import BadSettings


def refusal(environment: dict[str, str], file: Path | None = None) -> str:
    with pytest.raises(BadSettings) as refused:
        Settings.load(file, environment)
    return str(refused.value)


def toml(folder: Path, text: str) -> Path:
    file = folder / "citybrain.toml"
    file.write_text(text, encoding="utf-8")
    return file


class TestOrder:
    def test_defaults_need_nothing(self) -> None:
        settings = Settings.load(environment={})

        assert settings.broker.bootstrap == "127.0.0.1:9092"
        assert settings.work.block_age_ms == 400
        assert not settings.work.keep_text

    def test_the_file_wins_over_defaults_and_the_environment_over_the_file(self, tmp_path: Path) -> None:
        file = toml(tmp_path, '[broker]\nbootstrap = "file:1"\n[work]\nblock_age_ms = 700\nkeep_text = true\n')

        settings = Settings.load(file, {"CITYBRAIN_BROKER__BOOTSTRAP": "env:2"})

        assert settings.broker.bootstrap == "env:2"
        assert settings.work.block_age_ms == 700
        assert settings.work.keep_text

    def test_the_file_may_be_named_in_the_environment(self, tmp_path: Path) -> None:
        file = toml(tmp_path, "[metrics]\nport = 9100\n")

        assert Settings.load(environment={"CITYBRAIN_CONFIG": str(file)}).metrics.port == 9100

    def test_text_of_the_environment_becomes_numbers_and_truths(self) -> None:
        settings = Settings.load(environment={"CITYBRAIN_WORK__PROCESSES": "3", "CITYBRAIN_WORK__KEEP_TEXT": "true"})

        assert settings.work.processes == 3
        assert settings.work.keep_text is True

    def test_the_store_lies_in_the_data_folder_unless_its_url_says_otherwise(self, tmp_path: Path) -> None:
        moved = Settings.load(environment={"CITYBRAIN_DATA_DIR": "/srv/city"})
        placed = Settings.load(
            toml(tmp_path, '[clickhouse]\nurl = "http://ch:8123/city"\n'), {"CITYBRAIN_DATA_DIR": "/srv/city"}
        )

        assert moved.clickhouse.url == "/srv/city/clickhouse"
        assert placed.clickhouse.url == "http://ch:8123/city"

    def test_other_variables_are_none_of_our_business(self) -> None:
        assert Settings.load(environment={"CITY": "x", "PATH": "/bin"}) == Settings.load(environment={})


class TestRefusals:
    @pytest.mark.parametrize(
        ("misspelt", "meant"),
        [
            ("CITYBRAIN_BROKER__BOOTSTRP", "CITYBRAIN_BROKER__BOOTSTRAP"),
            ("CITYBRAIN_WORK__BLOCKAGE_MS", "CITYBRAIN_WORK__BLOCK_AGE_MS"),
            ("CITYBRAIN_DATADIR", "CITYBRAIN_DATA_DIR"),
            ("CITYBRAIN_BROKER_BOOTSTRAP", "CITYBRAIN_BROKER__BOOTSTRAP"),
            ("CITYBRAIN_METRICS__PORT__", "CITYBRAIN_METRICS__PORT"),
        ],
    )
    def test_a_misspelt_name_is_told_the_nearest_one(self, misspelt: str, meant: str) -> None:
        assert f"did you mean {meant}?" in refusal({misspelt: "1"})

    def test_every_mistake_is_told_at_once(self) -> None:
        told = refusal({"CITYBRAIN_WORK__PROCESSES": "0", "CITYBRAIN_LOG__FORMAT": "xml", "CITYBRAIN_COLOUR": "red"})

        assert len(told.splitlines()) == 3
        assert "CITYBRAIN_WORK__PROCESSES: got '0'" in told
        assert "'auto', 'text' or 'json'" in told

    def test_a_misspelt_name_in_the_file_is_refused_too(self, tmp_path: Path) -> None:
        assert "did you mean CITYBRAIN_LOG__LEVEL?" in refusal({}, toml(tmp_path, '[log]\nlevl = "info"\n'))

    def test_a_group_takes_no_value_of_its_own(self) -> None:
        assert "a group of settings, as CITYBRAIN_BROKER__BOOTSTRAP" in refusal({"CITYBRAIN_BROKER": "kafka-1:9092"})

    @pytest.mark.parametrize("name", ["Asia/Shangai", "", "../../etc/passwd", "Asia", "x'; DROP TABLE events"])
    def test_a_day_needs_a_time_zone_that_exists(self, name: str) -> None:
        assert "no such time zone" in refusal({"CITYBRAIN_CITY__TIME_ZONE": name})

    def test_a_password_is_never_shown(self, tmp_path: Path) -> None:
        told = refusal({}, toml(tmp_path, "[broker]\nsasl_password = 12345\n"))

        assert "SASL_PASSWORD" in told
        assert "12345" not in told

    @pytest.mark.parametrize("text", ["[broker", "broker = 1\nbroker = 2"])
    def test_a_file_that_is_not_toml_is_named(self, tmp_path: Path, text: str) -> None:
        assert "citybrain.toml" in refusal({}, toml(tmp_path, text))

    def test_a_file_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        assert "none.toml" in refusal({"CITYBRAIN_CONFIG": str(tmp_path / "none.toml")})


class TestNames:
    def test_every_name_is_read_and_explained(self) -> None:
        """A value no setting takes is refused by that setting, so each name of the list reaches one."""
        for name, meaning in Settings.names().items():
            assert meaning, name
            group, *inner = name.removeprefix("CITYBRAIN_").lower().split("__")
            part = getattr(Settings(), group)
            assert not inner or hasattr(part, inner[0]), name

    def test_no_setting_is_left_out(self) -> None:
        def leaves(values: dict[str, object], before: str) -> set[str]:
            found: set[str] = set()
            for name, value in values.items():
                path = f"{before}{name}".upper()
                found |= leaves(value, f"{path}__") if isinstance(value, dict) else {path}
            return found

        assert set(Settings.names()) == leaves(Settings().model_dump(), "CITYBRAIN_")
