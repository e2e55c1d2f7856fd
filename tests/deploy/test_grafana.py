"""Every panel's query runs on the real engine over the simulated city, and the files fit together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from citybrain.readonly import check_readonly
from ingest.city import build_city, make_plan
from schemas import metrics
from schemas.alerts import AlertAction, AlertRaised, encode_alert
from schemas.events import Kind
from sinks.alert_writer import AlertWriter
from sinks.kept import keep
from sinks.ledger import Position
from sinks.migrate import fill_lookups, migrate
from sinks.published import publish
from sinks.store import Store
from sinks.writer import BlockWriter
from tests.alerts import action, raised
from tests.deploy.grafana import CLICKHOUSE, FOLDER, PROMETHEUS, Target, dashboards, expand, targets
from tests.sinks.blocks import at, bad, block
from tests.sinks.test_response import twisted, write

START, END = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC)
VARIABLES = {"department": "中心镇派出所", "community": "150627001001"}
SUPPRESSED = ("department", "community")
SQL, PROMQL = list(targets(CLICKHOUSE)), list(targets(PROMETHEUS))
UNITS = {
    "none", "short", "string", "s", "m", "percentunit", "bytes", "rowsps", "dateTimeAsIso", "dateTimeFromNow",
}  # fmt: skip
"""Unit ids of Grafana that are in use; an id that Grafana does not know is shown as text behind the number."""


@pytest.fixture(scope="module")
def city_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Two days of the simulated city's police over the end of a month, rejects, alerts with answers."""
    city = build_city(1)
    store = Store.connect(str(tmp_path_factory.mktemp("grafana") / "clickhouse"))
    migrate(store, "Asia/Shanghai")
    fill_lookups(store, city.places)
    plan = make_plan(city, datetime(2026, 11, 1, tzinfo=ZoneInfo("Asia/Shanghai")), 1)
    police: tuple[Kind, ...] = ("police",)
    write(store, twisted(list(plan.events(0, 2, police))))
    BlockWriter(store).write(at(50), *block([bad(0), bad(1)], "grid", topic_id="id-grid"))
    open_, answered = raised(), raised("150627002")
    told: list[AlertRaised | AlertAction] = [
        open_,
        answered,
        action(answered, "ack", "a", 4),
        action(answered, "false_alarm", "f", 9),
    ]
    for offset, event in enumerate(told):
        AlertWriter(store).write(Position("alerts-1", 0, offset), encode_alert(event).value, 1_795_000_000_000)
    keep(store)
    publish(store)
    yield store
    store.close()


def answer(store: Store, sql: str) -> tuple[list[str], list[str], list[tuple[Any, ...]]]:
    """Names, types and rows of a query that Grafana may send."""
    sql = check_readonly(expand(sql, START, END, VARIABLES))
    described = store.query(f"DESCRIBE ({sql})")
    return [row[0] for row in described], [row[1] for row in described], store.query(sql)


@pytest.mark.parametrize("target", SQL, ids=[target.name for target in SQL])
def test_a_query_answers_with_what_its_panel_shows(city_store: Store, target: Target) -> None:
    names, types, rows = answer(city_store, target.target["rawSql"])
    assert rows, "no data in a city with two days of events"
    assert any(value not in {None, ""} for row in rows for value in row[1:] or row)
    numbers = [kind for kind in types if re.search(r"^(Nullable\()?(U?Int|Float|Decimal)", kind)]
    if target.panel["type"] in {"timeseries", "heatmap"}:
        assert names[0] == "time"
        assert types[0].startswith("DateTime")
        assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    if target.panel["type"] != "table":
        assert numbers, types
    overridden = {override["matcher"]["options"] for override in target.panel["fieldConfig"]["overrides"]}
    assert overridden <= set(names)
    wanted = ("timeseries", 0) if names[0] == "time" else ("table", 1)
    assert (target.target["queryType"], target.target["format"]) == wanted


@pytest.mark.parametrize("name", SUPPRESSED)
def test_dashboards_for_people_without_a_duty_read_suppressed_views_only(city_store: Store, name: str) -> None:
    dashboard = dashboards()[name]
    queries = [target["rawSql"] for panel in dashboard["panels"] for target in panel["targets"]]
    queries += [variable["query"] for variable in dashboard["templating"]["list"]]
    for sql in queries:
        read = set(re.findall(r"\b(?:FROM|JOIN)\s+(\w+)", sql, re.IGNORECASE))
        assert read <= {"v_public_incidents", "v_public_response"}, sql
        for row in answer(city_store, sql)[2]:
            assert "hidden" not in row or not any(isinstance(value, float) for value in row)
    counts = city_store.query("SELECT incidents FROM v_public_incidents UNION ALL SELECT n FROM v_public_response")
    assert not [count for (count,) in counts if count is not None and 1 <= count <= 4]


@pytest.mark.parametrize("target", PROMQL, ids=[target.name for target in PROMQL])
def test_promql_asks_for_metrics_that_exist(target: Target) -> None:
    """Against a running Prometheus they are asked in test_prometheus."""
    defined = [value for value in vars(metrics).values() if isinstance(value, MetricWrapperBase)]
    suffix = {Counter: "_total", Gauge: "", Histogram: "_bucket"}
    asked = set(re.findall(r"\bcitybrain_\w+", target.target["expr"]))
    assert asked
    assert asked <= {metric._name + suffix[type(metric)] for metric in defined}


@pytest.mark.parametrize("name", dashboards())
def test_a_dashboard_is_well_formed(name: str) -> None:
    dashboard = dashboards()[name]
    assert dashboard["uid"] == f"citybrain-{name}"
    assert dashboard["id"] is None
    assert dashboard["description"]
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) == len({panel["title"] for panel in panels})
    cells = [cell for panel in panels for cell in cells_of(panel["gridPos"])]
    assert len(cells) == len(set(cells)), "panels lie on each other"
    assert all(x < 24 for x, _ in cells)
    for panel in panels:
        assert panel["description"], panel["title"]
        config = panel["fieldConfig"]
        units = [
            config["defaults"]["unit"],
            *(item["value"] for override in config["overrides"] for item in override["properties"]),
        ]
        assert set(units) <= UNITS, panel["title"]
    used = set(re.findall(r"\$\{(\w+):singlequote\}", str(panels)))
    assert used == {variable["name"] for variable in dashboard["templating"]["list"]}
    assert not re.search(r"\$\{\w+\}", str(panels)), "a variable without :singlequote is a way into the SQL"


def cells_of(place: dict[str, int]) -> list[tuple[int, int]]:
    return [(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])]


def test_variables_offer_something(city_store: Store) -> None:
    for dashboard in dashboards().values():
        for variable in dashboard["templating"]["list"]:
            rows = city_store.query(check_readonly(variable["query"]))
            assert VARIABLES[variable["name"]] in {row[-1] for row in rows}


def test_uids_are_unique_and_provisioned() -> None:
    found = dashboards()
    assert set(found) == {"operations", "city", "department", "community"}
    assert len({dashboard["uid"] for dashboard in found.values()}) == len(found)
    sources = yaml.safe_load((FOLDER / "provisioning/datasources/citybrain.yaml").read_text(encoding="utf-8"))
    provisioned = {source["uid"]: source["type"] for source in sources["datasources"]}
    used = {(item["uid"], item["type"]) for d in found.values() for panel in d["panels"] for item in sources_of(panel)}
    assert used == set(provisioned.items()) == {(CLICKHOUSE, "grafana-clickhouse-datasource"), (PROMETHEUS, "prometheus")}


def sources_of(panel: dict[str, Any]) -> list[dict[str, str]]:
    return [panel["datasource"], *(target["datasource"] for target in panel["targets"])]


def test_provisioning_holds_no_secret_and_lets_nobody_change_what_is_in_files() -> None:
    sources, provider = (
        yaml.safe_load((FOLDER / f"provisioning/{name}/citybrain.yaml").read_text(encoding="utf-8"))
        for name in ("datasources", "dashboards")
    )
    assert sources["apiVersion"] == provider["apiVersion"] == 1
    (clickhouse,) = [source for source in sources["datasources"] if source["uid"] == CLICKHOUSE]
    assert re.fullmatch(r"\$[A-Z_]+", clickhouse["secureJsonData"]["password"])
    assert {"host", "port", "protocol", "username", "defaultDatabase"} <= set(clickhouse["jsonData"])
    assert not provider["providers"][0]["allowUiUpdates"]


def test_a_macro_that_is_not_known_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match=r"not filled in: '\$__adHocFilters'"):
        expand("SELECT 1 WHERE $__adHocFilters", START, END, {})
    assert expand("SELECT ${a:singlequote}", START, END, {"a": "x' OR '1"}) == "SELECT 'x\\' OR \\'1'"


def test_the_page_of_operations_lists_every_dashboard_and_panel() -> None:
    page = (Path(__file__).parents[2] / "docs/operations.md").read_text(encoding="utf-8")
    missing = [
        panel["title"]
        for dashboard in dashboards().values()
        for panel in dashboard["panels"]
        if f"| {panel['title']} |" not in page
    ]
    assert missing == []
