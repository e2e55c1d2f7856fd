"""A trained model is asked first; a replaced file is in force for the next block; a bad one changes nothing."""

from __future__ import annotations

import logging
from pathlib import Path

import polars as pl
import pytest

from schemas import metrics
from schemas.errors import BadModel
from schemas.text_model import Temperature, TextModel, to_bytes
from streams.live_rules import LiveRules, with_model
from streams.rules import shipped_rules


def model(version: str, **changes: object) -> TextModel:
    whole = {
        "name": "t", "version": version, "labels": ("D04", "S07"), "terms": {"路": {"S07": 3.0}, "班": {"D04": 3.0}},
        "calibration": Temperature(temperature=1.0), "data": "written for this test",
    }  # fmt: skip
    return TextModel.model_validate(whole | changes)


def put(path: Path, content: bytes) -> None:
    beside = path.with_suffix(".new")
    beside.write_bytes(content)
    beside.replace(path)


def counted(result: str) -> float:
    return float(metrics.MODEL_RELOADS.labels(result)._value.get())


def labels(rules: LiveRules, *texts: str) -> list[str]:
    return rules.now().score(pl.Series(list(texts)))["label"].to_list()


def test_without_a_model_the_shipped_rules_are_in_force() -> None:
    assert LiveRules(None).now() is shipped_rules()


def test_the_model_decides_where_it_is_sure_and_the_written_rules_elsewhere(tmp_path: Path) -> None:
    put(tmp_path / "m.json", to_bytes(model("t-1")))
    rules = LiveRules(tmp_path / "m.json")

    assert labels(rules, "路", "三楼着火", "班", "今天天气很好", "路班") == ["S07", "S01", "D04", "U00", "D04"]
    assert rules.now().version == f"{shipped_rules().version}+t-1"


def test_a_score_that_is_no_better_than_chance_goes_to_the_written_rules(tmp_path: Path) -> None:
    put(tmp_path / "m.json", to_bytes(model("t-1", labels=("D04", "S07", "S06"))))

    assert labels(LiveRules(tmp_path / "m.json"), "路班着火") == ["S01"]


def test_a_replaced_file_is_in_force_at_once_and_counted(tmp_path: Path) -> None:
    put(tmp_path / "m.json", to_bytes(model("t-1")))
    rules, before = LiveRules(tmp_path / "m.json"), counted("loaded")
    put(tmp_path / "m.json", to_bytes(model("t-2", terms={"路": {"D04": 3.0}})))

    assert labels(rules, "路") == ["D04"]
    assert rules.now().version.endswith("+t-2")
    assert rules.now() is rules.now()
    assert counted("loaded") == before + 1


@pytest.mark.parametrize(
    "bad", [b"", b"{", to_bytes(model("t-2")).replace(b"t-2", b"t-3"), to_bytes(model("t-2", labels=("D04", "S07", "roads")))]
)
def test_a_bad_file_keeps_the_old_one_is_logged_once_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, bad: bytes
) -> None:
    put(tmp_path / "m.json", to_bytes(model("t-1")))
    rules, before = LiveRules(tmp_path / "m.json"), counted("refused")
    put(tmp_path / "m.json", bad)
    with caplog.at_level(logging.ERROR):
        versions = {rules.now().version for _ in range(3)}

    assert versions == {f"{shipped_rules().version}+t-1"}
    assert counted("refused") == before + 1
    assert len(caplog.records) == 1
    assert "stay in force" in caplog.text

    put(tmp_path / "m.json", to_bytes(model("t-4")))
    assert rules.now().version.endswith("+t-4")


def test_a_file_that_is_gone_keeps_the_old_one(tmp_path: Path) -> None:
    put(tmp_path / "m.json", to_bytes(model("t-1")))
    rules = LiveRules(tmp_path / "m.json")
    (tmp_path / "m.json").unlink()

    assert rules.now().version.endswith("+t-1")


def test_a_bad_file_at_the_start_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match="cannot be read"):
        LiveRules(tmp_path / "none.json")


def test_labels_that_are_no_classes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match=r"labels roads are no incident classes.*--map"):
        with_model(model("t-1", labels=("D04", "S07", "roads")), tmp_path / "m.json")
