"""A simulated model city: seeded, so that the same seed gives the same bytes. All names and texts are invented."""

from ingest.city.geography import City, build_city
from ingest.city.plan import Plan, make_plan

__all__ = ["City", "Plan", "build_city", "make_plan"]
