"""Measurements: each prints machine, versions and figures. Never part of the tests."""
