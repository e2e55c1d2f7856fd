"""train, evaluate, classify, explain as their users meet them."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest
import zstandard
from click.testing import CliRunner

from citybrain.cli import cli
from schemas.errors import BadMapping, BadModel, CitybrainError
from schemas.text_model import from_bytes

ROWS = [
    {"n": str(i), "title": f"{what}问题", "body": f"{place}{what}{tail}", "kind": kind}
    for i, (place, (what, tail, kind)) in enumerate(
        (place, case)
        for place in ("东街", "西街", "南门", "北门", "桥头", "河边")
        for case in (("路面破损", "请修补", "roads"), ("供暖不热", "家里冷", "heating"), ("噪音扰民", "睡不着", "noise"))
    )
]


def run(*arguments: str) -> str:
    done = CliRunner().invoke(cli, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def refused(*arguments: str) -> CitybrainError:
    done = CliRunner().invoke(cli, list(arguments))
    assert isinstance(done.exception, CitybrainError), done.output
    return done.exception


def as_csv(path: Path, rows: list[dict[str, str]] = ROWS) -> Path:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(ROWS[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    run(
        "train",
        "--input",
        str(as_csv(folder / "orders.csv")),
        "--text",
        "title,body",
        "--label",
        "kind",
        "--out",
        str(folder / "m.json"),
    )
    return folder / "m.json"


class TestTrain:
    def test_the_model_says_what_it_was_made_from_and_holds_no_row(self, model: Path) -> None:
        read = from_bytes(model.read_bytes(), "m.json")

        assert "18 rows of orders.csv, text title,body, label kind: heating 6, noise 6, roads 6" in read.data
        assert not [row for row in ROWS if row["body"] in model.read_text(encoding="utf-8")]

    @pytest.mark.parametrize("form", ["csv.gz", "csv.zst", "ndjson", "parquet"])
    def test_every_form_of_file_gives_the_same_model(self, tmp_path: Path, model: Path, form: str) -> None:
        file = tmp_path / f"orders.{form}"
        plain = as_csv(tmp_path / "plain.csv").read_bytes()
        if form == "csv.gz":
            file.write_bytes(gzip.compress(plain))
        elif form == "csv.zst":
            file.write_bytes(zstandard.compress(plain))
        elif form == "ndjson":
            file.write_bytes(b"\n".join(orjson.dumps(row) for row in ROWS))
        else:
            pl.DataFrame(ROWS).write_parquet(file)
        out = tmp_path / "m.json"
        report = json.loads(
            run("train", "--input", str(file), "--text", "title,body", "--label", "kind", "--out", str(out), "--json")
        )

        assert report["version"] == from_bytes(model.read_bytes(), "m").version
        assert report["cross_validated"]["macro_f1"] > 0.9
        assert report["skipped"] == 0

    def test_rows_without_text_or_label_are_counted_and_a_map_renames(self, tmp_path: Path) -> None:
        gaps = [*ROWS, ROWS[0] | {"kind": ""}, ROWS[0] | {"title": "", "body": " "}]
        names = tmp_path / "map.yaml"
        names.write_text("roads: S07\nheating: S06\n", encoding="utf-8")
        out = tmp_path / "m.json"
        arguments = (
            "--input",
            str(as_csv(tmp_path / "o.csv", gaps)),
            "--text",
            "body",
            "--label",
            "kind",
            "--unlabelled",
            str(tmp_path / "o.csv"),
        )
        report = json.loads(run("train", *arguments, "--map", str(names), "--out", str(out), "--json"))

        assert from_bytes(out.read_bytes(), "m").labels == ("S06", "S07")
        assert report["skipped"] == 8
        assert report["cross_validated"]["unlabelled"] == 19

    def test_a_column_that_is_not_there_is_named_with_those_that_are(self, tmp_path: Path) -> None:
        error = refused(
            "train", "--input", str(as_csv(tmp_path / "o.csv")), "--text", "note", "--label", "kind", "--out", "m.json"
        )

        assert isinstance(error, BadMapping)
        assert "no column note; it has n, title, body, kind" in str(error)


class TestEvaluate:
    def test_figures_of_a_model(self, tmp_path: Path, model: Path) -> None:
        file = as_csv(tmp_path / "next.csv", [row | {"title": "", "body": f"湖边{row['body'][2:]}"} for row in ROWS])
        figures = json.loads(
            run("evaluate", "--model", str(model), "--input", str(file), "--text", "title,body", "--label", "kind", "--json")
        )

        assert figures["macro_f1"] == 1.0
        assert figures["accuracy"] == 1.0
        assert figures["coverage"] == 1.0
        assert figures["per_class"]["roads"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 6}
        assert figures["confusion"] == {"heating": {"heating": 6}, "noise": {"noise": 6}, "roads": {"roads": 6}}
        assert 0 <= figures["calibration_error"] <= 1
        assert figures["texts_per_second"] > 0

    @pytest.mark.parametrize(
        ("label", "text", "mapped", "right"),
        [
            ("public_safety", "三楼着火", None, True),
            ("fraud", "网上刷单被骗", None, True),
            ("other", "今天天气很好", None, True),
            ("S01", "三楼着火", None, True),
            ("S02", "三楼着火", None, False),
            ("blaze", "三楼着火", "blaze: S01", True),
            ("blaze", "三楼着火", "blaze: public_safety", True),
        ],
    )
    def test_the_written_rules_are_compared_in_the_words_of_the_file(
        self, tmp_path: Path, label: str, text: str, mapped: str | None, right: bool
    ) -> None:
        file = as_csv(tmp_path / "calls.csv", [{"n": "1", "title": "", "body": text, "kind": label}])
        (tmp_path / "map.yaml").write_text(mapped or "{}", encoding="utf-8")
        more = ("--map", str(tmp_path / "map.yaml")) if mapped else ()
        figures: dict[str, Any] = json.loads(
            run("evaluate", "--model", "builtin", "--input", str(file), "--text", "body", "--label", "kind", *more, "--json")
        )

        assert figures["accuracy"] == float(right)
        assert figures["coverage"] == float(text != "今天天气很好")

    def test_text_output_shows_the_confusions(self, tmp_path: Path, model: Path) -> None:
        file = as_csv(tmp_path / "next.csv", [row | {"kind": "roads"} for row in ROWS])

        assert "6 x roads taken for noise" in run(
            "evaluate", "--model", str(model), "--input", str(file), "--text", "body", "--label", "kind"
        )


class TestClassify:
    def test_one_object_with_a_row_for_each_row_also_without_text(self, tmp_path: Path, model: Path) -> None:
        file = as_csv(tmp_path / "o.csv", [ROWS[0], ROWS[1] | {"title": "", "body": ""}, ROWS[2]])
        answer = json.loads(run("classify", "--input", str(file), "--text", "title,body", "--model", str(model), "--json"))

        assert [row["row"] for row in answer["rows"]] == [1, 2, 3]
        assert [row["label"] for row in answer["rows"]] == ["roads", "U00", "noise"]
        assert answer["version"] == from_bytes(model.read_bytes(), "m").version
        assert len(answer["rows"][0]["terms"]) == len(answer["rows"][0]["weights"]) > 0

    def test_text_output_has_a_line_a_row_without_the_text(self, tmp_path: Path) -> None:
        file = as_csv(tmp_path / "o.csv", [{"n": "1", "title": "", "body": "三楼着火", "kind": ""}])
        (line,) = run("classify", "--input", str(file), "--text", "body").splitlines()

        assert line.split("\t")[:2] == ["1", "S01"]
        assert "三楼" not in line


class TestExplain:
    def test_terms_add_up_to_the_score(self, model: Path) -> None:
        why = json.loads(run("explain", "路面破损请修补", "--model", str(model), "--terms", "1000", "--json"))

        assert why["label"] == why["best"] == "roads"
        assert why["bias"] + sum(term["weight"] for term in why["terms"]) == pytest.approx(why["score"], abs=1e-3)
        assert next(iter(why["scores"])) == "roads"

    def test_written_rules_say_term_and_what_was_needed(self) -> None:
        answer = run("explain", "三楼着火")

        assert answer.startswith("S01, confidence ")
        assert "着火" in answer
        assert "were needed" in answer


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda content: content[: len(content) // 2], "not JSON"),
        (lambda content: content.replace(b'"seed"', b'"sead"').replace(b"orders.csv", b"others.csv"), "hash is"),
        (lambda _: b"[]", "form is"),
    ],
)
def test_a_spoilt_model_is_refused(tmp_path: Path, model: Path, spoil: Any, why: str) -> None:
    (tmp_path / "m.json").write_bytes(spoil(model.read_bytes()))
    error = refused("explain", "着火", "--model", str(tmp_path / "m.json"))

    assert isinstance(error, BadModel)
    assert why in str(error)


def test_a_missing_model_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in str(refused("explain", "着火", "--model", str(tmp_path / "none.json")))
