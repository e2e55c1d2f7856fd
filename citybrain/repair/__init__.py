"""Mending what the audit finds wrong, under a hold (docs/decisions/0036)."""

from citybrain.repair.run import Repaired, repair

__all__ = ["Repaired", "repair"]
