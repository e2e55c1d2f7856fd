"""What kind of risk an event is: by the source's class, a code table, limits of readings, then the text model.

By the column: no Python runs per text. What nothing matches is `U00`, with the reason that nothing matched.
"""

from __future__ import annotations

import polars as pl

from schemas.taxonomy import UNCLASSIFIED, taxonomy
from streams.rules import Rules


def classify(frame: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Columns incident_class, category, classified_by, evidence for rows with READ_SCHEMA's columns.

    Order: the class the source's own table gave; the code table; for sensors the limits of their readings
    and their status; terms in the text. Evidence is what decided: the code, the limit, or up to three terms.
    """
    rows = frame.with_row_index("row").with_columns(lowered=pl.col("code").str.to_lowercase())
    rows = rows.join(rules.codes, left_on="lowered", right_on="code", how="left", maintain_order="left")
    rows = rows.join(_by_limits(rows, rules), on="row", how="left", maintain_order="left")
    undecided = rows.filter(pl.col("incident_class").is_null() & pl.col("by_code").is_null() & pl.col("by_limit").is_null())
    rows = rows.join(_by_terms(undecided, rules), on="row", how="left", maintain_order="left")
    decided = rows.select(
        decided=pl.coalesce("incident_class", "by_code", "by_limit", "by_terms", pl.lit(UNCLASSIFIED)),
        classified_by=pl.when(pl.col("incident_class").is_not_null()).then(pl.lit("source"))
        .when(pl.col("by_code").is_not_null()).then(pl.lit("code"))
        .when(pl.col("by_limit").is_not_null()).then(pl.lit("limits"))
        .when(pl.col("by_terms").is_not_null()).then(pl.lit("terms"))
        .otherwise(pl.lit("none")),
        evidence=pl.when(pl.col("incident_class").is_not_null() | pl.col("by_code").is_not_null())
        .then(pl.col("code").fill_null(""))
        .when(pl.col("by_limit").is_not_null()).then(pl.col("limit"))
        .when(pl.col("by_terms").is_not_null()).then(pl.col("terms"))
        .otherwise(pl.lit("")),
    )  # fmt: skip
    letters = taxonomy().by_letter
    return decided.select(
        incident_class=pl.col("decided"),
        category=pl.col("decided").str.slice(0, 1).replace_strict(letters, return_dtype=pl.String),
        classified_by="classified_by",
        evidence="evidence",
    )


def _by_limits(rows: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Sensor rows: the class of the first limit a reading passes, S15 for a device not online, else U00 (docs/decisions/0006)."""
    sensors = rows.filter(pl.col("device").is_not_null()).select("row", "metrics", "values", "status")
    passed = (
        sensors.select("row", "metrics", "values")
        .explode("metrics", "values")
        .join(rules.limits, left_on="metrics", right_on="metric", how="inner", maintain_order="left")
        .filter((pl.col("values") > pl.col("above")) | (pl.col("values") < pl.col("below")))
        .group_by("row", maintain_order=True)
        .first()
        .select("row", passed=pl.col("class"), reading=pl.col("metrics") + "=" + pl.col("values").round(3).cast(pl.String))
    )
    silent = pl.col("status").is_in(["offline", "fault"]).fill_null(value=False)
    return sensors.join(passed, on="row", how="left", maintain_order="left").select(
        "row",
        by_limit=pl.when(silent).then(pl.lit("S15")).otherwise(pl.col("passed").fill_null(UNCLASSIFIED)),
        limit=pl.when(silent)
        .then(pl.lit("status=") + pl.col("status"))
        .otherwise(pl.col("reading").fill_null("within limits")),
    )


def _by_terms(rows: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Rows with text: the class the terms give (confidence is not kept: docs/decisions/0021), with the terms that weigh most; no row where they give none."""
    texts = rows.filter(pl.col("text").is_not_null()).select("row", "text")
    return (
        pl.concat([texts.select("row"), rules.score(texts["text"])], how="horizontal")
        .filter(pl.col("label") != UNCLASSIFIED)
        .select("row", by_terms="label", terms=pl.col("terms").list.join(", "))
    )
