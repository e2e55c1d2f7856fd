"""The rules of classification, read from `rules/*.yaml`: code table, limits of sensor metrics, weighted terms and their context.

Rules that change are audited: the version is a hash of the files and is stored with every event.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

import polars as pl
import yaml

from schemas.taxonomy import UNCLASSIFIED, taxonomy
from streams.builtin import builtin_model
from streams.scorer import Scorer

TERMS: Final = tuple(
    f"terms/{name}.yaml"
    for name in ("public_institution", "public_order", "disputes", "public_safety", "cyber", "unclassified")
)
FILES: Final = ("codes.yaml", "limits.yaml", "settings.yaml", "context.yaml", *TERMS)

LIKELY: Final = 0.5
"""A trained model decides where it is more likely right than wrong."""


class Rules(NamedTuple):
    """`codes`: code (lower case) and class. `limits`: metric, above, below, class. `scorer`: the text model, compiled.

    `trained`: a model of the deployment's own, asked before `scorer`; its labels are classes (docs/decisions/0024).
    """

    version: str
    codes: pl.DataFrame
    limits: pl.DataFrame
    scorer: Scorer
    trained: Scorer | None = None

    def score(self, texts: pl.Series) -> pl.DataFrame:
        """Columns of `streams.scorer.SCORED`, each row by the trained model where it is LIKELY right, else by the written rules."""
        if self.trained is None:
            return self.scorer.score(texts)
        first = self.trained.score(texts).with_row_index("row")
        sure = (first["confidence"] >= LIKELY) & (first["label"] != UNCLASSIFIED)
        unsure = first.filter(~sure).select("row")
        rest = pl.concat([unsure, self.scorer.score(texts.gather(unsure["row"]))], how="horizontal")
        return pl.concat([first.filter(sure), rest]).sort("row").drop("row")


@cache
def shipped_rules() -> Rules:
    """The rules in the package. ValueError names a file and entry that is not in the taxonomy."""
    folder = files(__package__).joinpath("rules")
    texts = {name: folder.joinpath(name).read_bytes() for name in FILES}
    digest = hashlib.sha256(b"".join(texts[name] for name in FILES)).hexdigest()
    codes, limits, settings, context, *terms = (yaml.safe_load(texts[name]) for name in FILES)
    _check("codes.yaml", codes["codes"].values())
    _check("limits.yaml", [limit["class"] for limit in limits["metrics"].values()])
    version = f"r{settings['version']}-{digest[:8]}"
    return Rules(
        version=version,
        codes=pl.DataFrame(
            {"code": [str(code).lower() for code in codes["codes"]], "by_code": list(codes["codes"].values())},
            schema={"code": pl.String, "by_code": pl.String},
        ),
        limits=_limits(limits["metrics"]),
        scorer=Scorer(builtin_model(settings, context, terms, version)),
    )


def _limits(metrics: dict[str, dict[str, Any]]) -> pl.DataFrame:
    rows = [(name, limit.get("above"), limit.get("below"), limit["class"]) for name, limit in metrics.items()]
    schema = {"metric": pl.String, "above": pl.Float64, "below": pl.Float64, "class": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _check(name: str, codes: Iterable[str]) -> None:
    strange = sorted(set(codes) - set(taxonomy().classes))
    if strange:
        message = f"streams/rules/{name}: classes {strange} are not in schemas/catalogue/incident_classes.yaml"
        raise ValueError(message)
