-- Parts are merged twelve at a time instead of five: each merge writes a row again and costs more than its insert
-- (docs/decisions/0056).

ALTER TABLE events MODIFY SETTING merge_selector_base = 12;
ALTER TABLE counts_minute MODIFY SETTING merge_selector_base = 12;
ALTER TABLE counts_day MODIFY SETTING merge_selector_base = 12;
ALTER TABLE cases MODIFY SETTING merge_selector_base = 12;
ALTER TABLE sensor_rollup MODIFY SETTING merge_selector_base = 12;
