"""What is learned is what is scored; the same texts give the same model; reports are of texts not seen."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.special import softmax
from sklearn.metrics import f1_score, precision_recall_fscore_support

from citybrain.training.decide import best_shifts, best_temperature, macro_f1
from citybrain.training.features import count_terms, scaled, scales_of
from citybrain.training.measures import measure
from citybrain.training.separate import NEVER, directions_of, separate, telling_of, written_directions
from citybrain.training.train import FOLDS, Way, folds_of, train
from citybrain.training.vocabulary import choose_terms, terms_in
from schemas.errors import BadTraining
from schemas.text_model import from_bytes, to_bytes
from streams.scorer import Scorer

WHERE = ("东街", "西街", "南门", "北门", "中路", "河边", "桥头", "车站", "学校旁", "市场口")
WHAT = {
    "roads": ("路面坑洼不平需要修补", "道路破损积水严重", "pothole in the road", "路灯坏了道路很黑"),
    "heating": ("供暖不足家里很冷", "暖气不热请检查管道", "no heating since monday", "供暖管道漏水"),
    "noise": ("夜间施工噪音扰民", "广场音响声音太大", "loud music at night", "半夜装修噪音很大"),
}
WRITTEN = {"供暖": {"W1": 2.0}, "锅炉": {"W1": 2.0}, "boiler*": {"W1": 1.0}, "噪音": {"W2": 2.0}, "钻机": {"W2": 2.0}}
TEXTS = [f"{place}{what}" for whats in WHAT.values() for what in whats for place in WHERE]
LABELS = [label for label, whats in WHAT.items() for _ in whats for _ in WHERE]


class TestTrain:
    def test_the_scorer_gives_what_was_learned(self) -> None:
        """Scores by the column equal the planes on the rows they were learned from, but for the rounding of weights."""
        more = TEXTS[::2] * 10
        result = train(TEXTS, LABELS, more, written=WRITTEN)
        way = Way(**result.report["way"])
        terms = choose_terms(TEXTS, more, WRITTEN)
        counts = count_terms([*TEXTS, *more], terms)
        scales = scales_of(counts, terms)
        rows = scaled(counts, scales)
        ours = rows[: len(TEXTS)]
        lent = written_directions(ours, terms, scales, WRITTEN)
        common = directions_of(rows[len(TEXTS) :], 0)
        assert lent is not None
        assert common is not None
        names = sorted(WHAT)
        numbers = np.searchsorted(np.array(names), np.array(LABELS))
        plane = separate(ours, numbers, 3, np.hstack([common, lent * way.lent]), 0, way.balance)

        scores = Scorer(result.model).matrix(pl.Series(TEXTS)).millionths / 1e6
        shifts = [result.model.bias[name] for name in names] - plane.bias

        np.testing.assert_allclose(scores, plane.scores(ours) + shifts, atol=2e-3)

    def test_the_written_rules_lend_terms_that_no_text_has(self) -> None:
        """锅炉 stands beside 供暖 in the rules: what is said of one is said of the other."""
        model = train(TEXTS, LABELS, written=WRITTEN).model
        unseen = pl.Series(["锅炉 boiler", "钻机"])

        assert Scorer(model).score(unseen)["label"].to_list() == ["heating", "noise"]
        assert model.terms["锅炉"]["heating"] > 0 > model.terms["锅炉"]["noise"]
        assert "锅炉" not in train(TEXTS, LABELS).model.terms

    def test_of_the_ways_the_best_is_kept_and_all_are_told(self) -> None:
        for written, count in ((None, 2), (WRITTEN, 3)):
            report = train(TEXTS, LABELS, written=written).report
            assert len(report["tried"]) == count
            assert report["macro_f1"] == max(one["macro_f1"] for one in report["tried"])
            assert {**report["way"], "macro_f1": report["macro_f1"]} in report["tried"]

    def test_terms_that_tell_a_label_are_larger_and_the_mean_is_one(self) -> None:
        rows = sparse.csr_matrix(np.array([[0.6, 0.8, 0.0], [0.6, 0.8, 0.0], [0.6, 0.0, 0.8], [0.6, 0.0, 0.8]]))
        telling = telling_of(rows, np.array([True, True, False, False]))

        assert telling[1] > telling[0] > 0
        assert telling[1] == pytest.approx(telling[2])
        assert telling.mean() == pytest.approx(1)

    def test_it_separates_what_can_be_separated_on_texts_it_did_not_see(self) -> None:
        result = train(TEXTS, LABELS)
        unseen = ["湖边道路坑洼", "湖边供暖太差", "湖边施工噪音", "heating is off", "LOUD MUSIC again"]

        assert Scorer(result.model).score(pl.Series(unseen))["label"].to_list() == [
            "roads",
            "heating",
            "noise",
            "heating",
            "noise",
        ]
        assert result.report["macro_f1"] > 0.9
        assert result.report["rows"] == len(TEXTS)

    def test_labels_drawn_by_lot_are_reported_as_chance(self) -> None:
        """The figures are of texts not seen: the model itself knows every one of these by heart."""
        lot = np.random.default_rng(5).choice(["a", "b"], len(TEXTS)).tolist()

        assert train(TEXTS, lot).report["accuracy"] < 0.65

    def test_the_same_texts_and_seed_give_the_same_file(self) -> None:
        assert to_bytes(train(TEXTS, LABELS, seed=3).model) == to_bytes(train(TEXTS, LABELS, seed=3).model)

    def test_the_file_reads_back_and_its_version_follows_its_weights(self) -> None:
        one, other = train(TEXTS, LABELS, name="t", data="x").model, train(TEXTS[:-1], LABELS[:-1], name="t", data="x").model

        assert from_bytes(to_bytes(one), "here") == one
        assert one.version.startswith("t-")
        assert one.version != other.version

    def test_one_label_or_a_label_of_one_text_is_refused(self) -> None:
        with pytest.raises(BadTraining, match="two or more"):
            train(TEXTS, ["a"] * len(TEXTS))
        with pytest.raises(BadTraining, match="b have one text"):
            train(TEXTS, ["a"] * (len(TEXTS) - 1) + ["b"])
        with pytest.raises(BadTraining, match="no term"):
            train(["123", "456", "789", "012"], ["a", "a", "b", "b"])


class TestVocabulary:
    def test_terms_are_chinese_n_grams_and_words_of_others(self) -> None:
        assert list(terms_in("着火 Fire 119 A b2 гроза")) == ["着", "火", "着火", "fire", "гроза"]

    def test_a_term_of_one_text_is_none_and_parts_that_say_the_same_are_left_out(self) -> None:
        """挖掘机 always stands whole: its longer parts add nothing to its characters."""
        terms = choose_terms(["挖掘机甲", "挖掘机乙", "机 once"])

        assert "once" not in terms
        assert "甲" not in terms
        assert "挖掘" not in terms
        assert {"挖", "掘", "机"} <= set(terms)

    @settings(max_examples=50)
    @given(st.lists(st.text(alphabet="着火灾害ab 1,。г", max_size=12), min_size=2, max_size=6))
    def test_every_term_is_found_where_it_stands(self, texts: list[str]) -> None:
        """The finder counts each chosen term as often as the vocabulary saw it."""
        terms = choose_terms(texts)
        if not terms:
            return
        counts = count_terms(texts, terms).toarray()
        for row, text in enumerate(texts):
            seen = list(terms_in(text))
            for column, term in enumerate(terms):
                times = seen.count(term)
                assert counts[row, column] >= (1 + np.log(times) if times else 0) - 1e-9


class TestDecide:
    @given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60))
    def test_macro_f1_is_scikit_learns_over_the_true_labels(self, pairs: list[tuple[int, int]]) -> None:
        truth, given_labels = np.array([a for a, _ in pairs]), np.array([b for _, b in pairs])
        wanted = f1_score(truth, given_labels, labels=np.unique(truth), average="macro", zero_division=0)

        assert macro_f1(truth, given_labels, 4) == pytest.approx(wanted)

    def test_a_label_that_never_wins_is_shifted_up(self) -> None:
        draw = np.random.default_rng(1)
        truth = np.repeat([0, 1], [300, 30])
        scores = np.column_stack([np.zeros(330), draw.normal(-2.0 + 1.5 * truth, 0.3)])
        shifts = best_shifts(scores, truth)

        assert macro_f1(truth, scores.argmax(axis=1), 2) < 0.6
        assert macro_f1(truth, (scores + shifts).argmax(axis=1), 2) > 0.8

    def test_scores_that_are_right_already_stay(self) -> None:
        truth = np.arange(60) % 3
        scores = np.eye(3)[truth]

        assert (scores + best_shifts(scores, truth)).argmax(axis=1).tolist() == truth.tolist()

    def test_the_temperature_is_the_one_the_labels_were_drawn_under(self) -> None:
        draw = np.random.default_rng(2)
        scores = draw.normal(size=(20_000, 3))
        truth = np.array([draw.choice(3, p=row) for row in softmax(scores / 0.5, axis=1)])

        assert best_temperature(scores, truth) == pytest.approx(0.5, rel=0.05)


class TestFolds:
    def test_each_label_is_spread_evenly(self) -> None:
        labels = np.repeat([0, 1, 2], [50, 12, 3])
        folds = folds_of(labels, 0)
        for label in range(3):
            sizes = np.bincount(folds[labels == label], minlength=FOLDS)
            assert sizes.max() - sizes.min() <= 1

    def test_a_label_missing_from_what_is_learned_never_wins(self) -> None:
        counts = count_terms(TEXTS[:80], choose_terms(TEXTS[:80]))
        rows = scaled(counts, scales_of(counts, choose_terms(TEXTS[:80])))
        known = separate(rows, np.repeat([0, 1], 40), 3, None, 0)

        assert known.bias[2] == NEVER
        assert set(known.scores(rows).argmax(axis=1)) == {0, 1}


class TestMeasure:
    @given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcu"), st.floats(0, 1)), min_size=1, max_size=40))
    def test_figures_are_scikit_learns(self, rows: list[tuple[str, str, float]]) -> None:
        truth, label = [row[0] for row in rows], [row[1] for row in rows]
        figures = measure(truth, label, [row[2] for row in rows], "u")
        names = sorted(set(truth))
        precision, recall, f1, support = precision_recall_fscore_support(truth, label, labels=names, zero_division=0)

        assert list(figures["per_class"]) == names
        for i, one in enumerate(figures["per_class"].values()):
            assert one["precision"] == pytest.approx(precision[i], abs=1e-6)
            assert one["recall"] == pytest.approx(recall[i], abs=1e-6)
            assert one["f1"] == pytest.approx(f1[i], abs=1e-6)
            assert one["support"] == support[i]
        assert figures["macro_f1"] == pytest.approx(f1.mean(), abs=1e-6)
        assert figures["coverage"] == pytest.approx(1 - label.count("u") / len(rows), abs=1e-6)
        assert sum(n for given_ in figures["confusion"].values() for n in given_.values()) == len(rows)

    def test_calibration_error_is_the_distance_of_confidence_and_truth(self) -> None:
        """Ten claims of 0.85, six of them right; unclassified rows claim nothing."""
        figures = measure(["a"] * 12, ["a"] * 6 + ["b"] * 4 + ["u"] * 2, [0.85] * 10 + [0.0] * 2, "u")

        assert figures["calibration_error"] == pytest.approx(0.25)
        assert figures["accuracy"] == pytest.approx(0.5)
