-- What people without a duty may see: cells of 1 to 4 are hidden, and others with them so that no total gives them away.
-- Why so: docs/decisions/0038-suppressed-views.md. Each tree of totals has three levels: leaf, middle, root.

CREATE OR REPLACE VIEW v_public_cells AS
WITH (SELECT groupArray(code) FROM (SELECT code FROM areas FINAL WHERE level = 'community' ORDER BY code)) AS communities
SELECT measure, period, cell.1 AS level, cell.2 AS area, item, if(cell.4, NULL, cell.3) AS shown, cell.4 AS hidden
FROM (
    SELECT measure, tree, period, item, root, countIf(first) AS small,
           arraySort(c -> (NOT c.3, c.1 = 0, c.1, c.2), arrayConcat(groupArray((total, middle, first, cells, hide)), arrayMap(
               town -> (toInt64(0), town, toUInt8(0),
                        arrayMap(code -> (toInt64(0), code), arrayFilter(code -> startsWith(code, town), communities)), toUInt64(0)),
               if(tree = 'area', arrayFilter(town -> startsWith(town, root) AND NOT has(groupArray(middle), town),
                                             arrayDistinct(arrayMap(code -> substring(code, 1, 9), communities))), [])))) AS middles,
           arrayCumSum(arrayMap(c -> c.1, middles)) AS running,
           if(small = 0, 0, arrayFirstIndex((c, sum, i) -> i >= greatest(small, 2) AND sum >= 5 AND (sum > i OR c.1 = 0),
                                            middles, running, arrayEnumerate(middles))) AS enough,
           small > 0 AND enough = 0 AS forced, if(forced, length(middles), enough) AS hidden_middles,
           arraySum(arrayMap(c -> c.1, middles)) AS sum_of_all,
           arrayJoin(arrayConcat(
               if(tree = 'area', [('banner', root, sum_of_all, toUInt8((sum_of_all BETWEEN 1 AND 4) OR forced))], []),
               if(tree = 'area', arrayMap((c, i) -> ('town', c.2, c.1, toUInt8(i <= hidden_middles)), middles, arrayEnumerate(middles)), []),
               arrayFlatten(arrayMap((c, i) -> arrayMap((leaf, j) -> (
                   if(tree = 'area', 'community', 'department'), leaf.2, leaf.1,
                   toUInt8(j <= c.5 OR (i <= hidden_middles AND c.5 = 0 AND j = 1))), c.4, arrayEnumerate(c.4)),
                   middles, arrayEnumerate(middles))))) AS cell
    FROM (
        SELECT measure, tree, period, item, root, middle, countIf(n BETWEEN 1 AND 4) AS small,
               arraySort(c -> (c.1 NOT BETWEEN 1 AND 4, c.1 = 0, c.1, c.2), arrayConcat(groupArray((n, leaf)), arrayMap(
                   code -> (toInt64(0), code),
                   if(tree = 'area', arrayFilter(code -> startsWith(code, middle) AND NOT has(groupArray(leaf), code), communities), [])))) AS cells,
               arrayCumSum(arrayMap(c -> c.1, cells)) AS running,
               if(small = 0, 0, arrayFirstIndex((c, sum, i) -> i >= greatest(small, 2) AND sum >= 5 AND (sum > i OR c.1 = 0),
                                                cells, running, arrayEnumerate(cells))) AS enough,
               small > 0 AND enough = 0 AS forced, toUInt64(if(forced, length(cells), enough)) AS hide,
               arraySum(arrayMap(c -> c.1, cells)) AS total, toUInt8((total BETWEEN 1 AND 4) OR forced) AS first
        FROM (
            SELECT 'incidents' AS measure, 'area' AS tree, toMonday(day) AS period, category AS item, banner AS root, town AS middle,
                   community AS leaf, toInt64(sum(incidents)) AS n
            FROM v_counts_day WHERE community != '' AND category NOT IN ('', 'unclassified')
            GROUP BY measure, tree, period, item, root, middle, leaf
            UNION ALL
            SELECT 'response' AS measure, place.1 AS tree, month AS period, step AS item, place.2 AS root, place.3 AS middle,
                   place.4 AS leaf, toInt64(count(took_ms)) AS n
            FROM (SELECT month, step, took_ms, arrayJoin([('area', banner, town, community),
                                                          ('department', 'all', 'all', department)]) AS place FROM v_response_steps)
            WHERE place.4 != '' GROUP BY measure, tree, period, item, root, middle, leaf
        )
        GROUP BY measure, tree, period, item, root, middle
    )
    GROUP BY measure, tree, period, item, root
);

CREATE OR REPLACE VIEW v_public_incidents AS
SELECT c.period AS week, c.level AS level, c.area AS area, a.name AS name, c.item AS category, c.shown AS incidents, c.hidden AS hidden
FROM (SELECT * FROM v_public_cells WHERE measure = 'incidents') AS c
LEFT JOIN (SELECT level, code, name FROM areas FINAL) AS a ON a.level = c.level AND a.code = c.area;

CREATE OR REPLACE VIEW v_public_response AS
SELECT c.period AS month, c.level AS level, c.area AS area, if(c.level = 'department', c.area, a.name) AS name, c.item AS step,
       c.shown AS n, c.hidden AS hidden, if(c.hidden OR f.judged < 5, NULL, round(f.met / f.judged, 2)) AS share,
       if(c.hidden, NULL, round(f.p50_seconds)) AS p50_seconds, if(c.hidden, NULL, round(f.p90_seconds)) AS p90_seconds
FROM (SELECT * FROM v_public_cells WHERE measure = 'response') AS c
LEFT JOIN (
    SELECT month, level, area, step, judged, met, p50_seconds, p90_seconds FROM v_response_levels
    UNION ALL
    SELECT month, 'department' AS level, department AS area, step, judged, met, p50_seconds, p90_seconds FROM v_response_departments
) AS f ON f.month = c.period AND f.level = c.level AND f.area = c.area AND f.step = c.item
LEFT JOIN (SELECT level, code, name FROM areas FINAL) AS a ON a.level = c.level AND a.code = c.area;
