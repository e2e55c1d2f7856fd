"""The written rules as a text model: terms by class and weight, and their context, from the documents of `rules/*.yaml`.

Why U00 has terms of its own, and kinds of fraud share: docs/decisions/0022-none-of-ours-speaks-for-u00.md. Figures and limits:
docs/model-card.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from schemas.taxonomy import UNCLASSIFIED, taxonomy
from schemas.text_model import Context, Lead, Negation, TextModel

NAME: Final = "builtin"


def builtin_model(
    settings: Mapping[str, Any], context: Mapping[str, Any], terms: Sequence[Mapping[str, Any]], version: str
) -> TextModel:
    """The model of these documents. ValueError names a class that is not in the taxonomy, or a term that stands twice in a class."""
    weights: dict[str, dict[str, float]] = {}
    for document in terms:
        for code, by_weight in document.items():
            _add(weights, code, by_weight)
    _share(weights, settings["shares"])
    first = list(settings["priority"])
    return TextModel(
        name=NAME,
        version=version,
        labels=(*first, *sorted(set(taxonomy().classes) - set(first))),
        terms=weights,
        threshold=settings["threshold"],
        unclassified=UNCLASSIFIED,
        calibration=Lead(**settings["calibration"]),
        masks=tuple(mask for group in context["masks"] for mask in group),
        negation=Negation(**context["negation"]),
        contexts={name: Context(**words) for name, words in context["contexts"].items()},
        data=settings["data"],
    )


def _add(weights: dict[str, dict[str, float]], code: str, by_weight: Mapping[float, Sequence[str]]) -> None:
    if code not in taxonomy().classes:
        raise ValueError(f"streams/rules: class {code} is not in schemas/taxonomy.yaml")
    for weight, terms in by_weight.items():
        for term in terms:
            of_term = weights.setdefault(term.lower(), {})
            if code in of_term:
                raise ValueError(f"streams/rules: term {term!r} stands twice in {code}")
            of_term[code] = float(weight)


def _share(weights: dict[str, dict[str, float]], shares: Mapping[str, Mapping[str, Any]]) -> None:
    """A term of a kind speaks in part for the kind of all kinds too, unless it does so by itself."""
    for common, share in shares.items():
        for of_term in weights.values():
            most = max((weight for code, weight in of_term.items() if code in share["of"]), default=0.0)
            if most:
                of_term.setdefault(common, round(most * share["part"], 3))
