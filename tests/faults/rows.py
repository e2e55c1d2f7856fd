"""The 56 faults and bad inputs, what counts as survived, and the tests that prove it by name.

A row without a test says so. `here` says what stands in for a fault that this machine cannot make.
"""

from __future__ import annotations

from typing import Final, NamedTuple

BAD = "tests/streams/test_bad_input.py::"
JUDGE = "tests/streams/test_judge.py::"
COOK = "tests/streams/test_cook.py::"
FAST = "tests/streams/test_fast_equals_judge.py::"
WRITER = "tests/sinks/test_writer.py::"
LOADER = "tests/sinks/test_loader.py::"
STORE = "tests/sinks/test_store.py::TestTokens::"
HALF = "tests/sinks/test_half_stored.py::"
FACE = "tests/citybrain/test_http_face.py::TestTrouble::"
MEMBERS = "tests/faults/test_members.py::"
POINTS = "tests/faults/test_crash_points.py::"
CUTS = "tests/faults/test_store_faults.py::"
BROKER = "tests/faults/test_broker_faults.py::"
TOPICS = "tests/faults/test_topics.py::"
GONE = "tests/faults/test_gone.py::"
DISK = "tests/faults/test_full_disk.py::"
PRODUCER = "tests/faults/test_producer_faults.py::"
STORM = "tests/faults/test_storm.py::test_random_kills"


class Row(NamedTuple):
    """One fault. `tests` are names without parameters: file::class::function."""

    fault: str
    wanted: str
    tests: tuple[str, ...] = ()
    here: str = ""


ROWS: Final[dict[int, Row]] = {
    1: Row(
        "not JSON, cut off, or empty",
        "reject with topic, partition, offset and reason; the partition goes on",
        (
            BAD + "test_a_bad_record_is_a_row_with_reason_topic_partition_and_offset",
            BAD + "test_the_good_neighbours_are_stored_once_and_alike",
            JUDGE + "test_each_fault_has_its_reason_and_a_detail",
        ),
    ),
    2: Row(
        "not UTF-8, NUL, byte order mark, half a surrogate pair",
        "reject by rule, never a crash",
        (
            BAD + "test_a_bad_record_is_a_row_with_reason_topic_partition_and_offset",
            JUDGE + "test_whatever_the_bytes_there_is_a_verdict",
            COOK + "test_no_record_is_lost_whatever_the_bytes",
        ),
    ),
    3: Row(
        "nesting of 100 and more, duplicate keys, huge numbers, NaN",
        "bounded work, a clear reason",
        (
            BAD + "test_a_bad_record_is_a_row_with_reason_topic_partition_and_offset",
            JUDGE + "test_each_fault_has_its_reason_and_a_detail",
            FAST + "test_every_edge_number_anywhere",
        ),
    ),
    4: Row(
        "just under and over the byte limit, compressed bombs",
        "refused; memory stays flat",
        (
            "tests/ingest/test_producer.py::test_a_record_too_large_for_the_topic_is_counted_as_failed_and_its_neighbours_arrive",
            "tests/test_bounds.py::TestPausedWorker::test_it_holds_less_than_its_bound",
            "tests/citybrain/test_http_face.py::TestPure::test_an_encoding_comes_back_and_a_bomb_does_not",
        ),
    ),
    5: Row(
        "missing, further or mistyped fields, unknown version",
        "reject; further fields are dropped",
        (
            BAD + "test_a_bad_record_is_a_row_with_reason_topic_partition_and_offset",
            "tests/schemas/test_events.py::test_unknown_fields_are_dropped_and_person_fields_with_them",
            "tests/schemas/test_block.py::test_a_newer_block_may_have_more_columns",
        ),
    ),
    6: Row(
        "coordinates exchanged, out of range, (0, 0), outside the city",
        "reject or flag, never a wrong cell",
        (
            COOK + "test_swapped_coordinates_are_rejected_and_others_outside_are_kept",
            "tests/streams/test_locate.py::test_a_batch_is_located_as_asking_every_polygon_would",
        ),
    ),
    7: Row(
        "naive times, clock changes, milliseconds for seconds, 1970, 9999, ahead, late",
        "one rule in UTC",
        (
            COOK + "test_times_are_taken_from_thirty_years_back_to_ten_minutes_ahead",
            "tests/ingest/test_events_of.py::test_local_times_around_the_clock_change",
            FAST + "test_every_edge_time",
        ),
    ),
    8: Row(
        "the same source and id twice, same body",
        "counted once",
        (
            WRITER + "test_a_repeat_is_dropped_after_a_restart_too",
            "tests/sinks/test_repeats.py::test_the_first_copy_wins_whatever_the_cut",
        ),
    ),
    9: Row(
        "the same source and id, another body",
        "the first wins, the other is counted as conflict",
        (
            "tests/sinks/test_repeats.py::test_the_first_copy_wins_whatever_the_cut",
            COOK + "test_the_body_hash_tells_a_repeat_from_a_conflict",
        ),
    ),
    10: Row(
        "a producer sends again after a time-out",
        "twice in Kafka, once in ClickHouse",
        ("tests/ingest/test_replay.py::test_a_replay_killed_in_the_middle_and_started_again_counts_every_row_once",),
    ),
    11: Row(
        "formulas, SQL, HTML, line ends in texts",
        "kept as they are, inert in SQL and logs",
        (
            "tests/citybrain/test_http_face.py::TestClickhouseConnect::test_parameters_are_values_never_sql_however_long",
            FAST + "test_every_edge_text_in_every_field",
        ),
    ),
    12: Row(
        "Chinese, right-to-left, emoji, zero-width text",
        "no crash, the same label again",
        (
            FAST + "test_every_edge_text_in_every_field",
            "tests/streams/test_builtin.py::test_by_the_column_as_text_by_text",
        ),
    ),
    13: Row(
        "a key that is null, not text, or a megabyte",
        "taken, or refused by the broker and counted",
        (BAD + "test_ours_takes_every_record_that_kafka_takes",),
    ),
    14: Row(
        "a burst of fifty times the usual for a minute",
        "back-pressure; nothing accepted is lost",
        (PRODUCER + "test_a_burst_of_fifty_times_the_usual",),
    ),
    15: Row(
        "Kafka is down when an event comes",
        "no acknowledgement for what is not in the log",
        (
            "tests/ingest/test_producer.py::test_a_broker_that_is_not_there_is_named_within_seconds",
            "tests/ingest/test_producer.py::test_a_delivery_the_broker_refuses_is_counted",
        ),
    ),
    16: Row(
        "the broker is killed and starts again", "no loss, no hand", (BROKER + "test_the_broker_is_killed_and_comes_back",)
    ),
    17: Row(
        "the broker stands still for a while",
        "bounded waits, then it goes on",
        (BROKER + "test_the_broker_stands_still_while_records_come",),
    ),
    18: Row(
        "the broker is gone for minutes",
        "never green while nothing gets on",
        (
            "tests/citybrain/test_status.py::test_without_kafka_the_ledger_is_shown",
            "tests/citybrain/test_watchdog.py::test_status_is_not_green_while_nothing_gets_on",
        ),
    ),
    19: Row("workers and loaders come and go", "no skip, no double", (MEMBERS + "test_loaders_and_workers_come_and_go",)),
    20: Row(
        "a worker or loader is stopped past its session and wakes",
        "its late block changes nothing",
        (MEMBERS + "test_a_zombie_wakes_after_its_session",),
    ),
    21: Row(
        "a commit fails because another generation is at work",
        "the new owner does the work again",
        (MEMBERS + "test_a_zombie_wakes_after_its_session",),
    ),
    22: Row(
        "a topic is deleted and made again",
        "a new life by its id; nothing is dropped",
        (
            GONE + "test_a_raw_topic_begins_a_new_life",
            "tests/streams/test_raw_log.py::test_an_offset_of_another_life_is_told",
            LOADER + "test_a_recreated_risk_topic_starts_anew_and_doubles_nothing",
        ),
    ),
    23: Row(
        "the next record is past retention",
        "stop with a clear error",
        (
            GONE + "test_records_gone_before_they_were_read_stop_the_worker",
            LOADER + "test_a_log_that_no_longer_holds_the_next_record_is_no_reason_to_go_on_silently",
        ),
    ),
    24: Row(
        "gaps between offsets: markers of transactions",
        "commits go on",
        (TOPICS + "test_gaps_of_transactions_do_not_stop_commits",),
    ),
    25: Row(
        "partitions are added while parts run",
        "taken up; no loss",
        (TOPICS + "test_partitions_are_added_while_parts_run", TOPICS + "test_partitions_are_added_while_the_worker_is_away"),
    ),
    26: Row(
        "an idempotent producer loses its sequence",
        "the producer is made anew, the send repeated",
        (PRODUCER + "test_a_producer_whose_sequence_the_broker_does_not_know_is_made_anew",),
    ),
    27: Row(
        "the broker's disk is full",
        "the producer is told; goes on when there is room",
        (DISK + "test_the_brokers_disk_is_full",),
    ),
    28: Row(
        "a record larger than a request may be",
        "refused and counted, no loop",
        (
            "tests/ingest/test_producer.py::test_a_record_too_large_for_the_topic_is_counted_as_failed_and_its_neighbours_arrive",
            "tests/ingest/test_producer.py::test_the_longest_record_we_hand_over_is_taken_by_the_broker",
        ),
    ),
    29: Row(
        "our code fails on one record",
        "that one is a reject `internal_error`, its neighbours are unaffected",
        (
            COOK + "test_a_record_our_code_fails_on_is_rejected_alone",
            COOK + "test_more_than_a_hundred_in_a_row_mean_that_our_code_is_broken",
        ),
    ),
    30: Row(
        "kill -9 while earlier records are still in work", "they are delivered again", (POINTS + "test_a_worker_dies_at", STORM)
    ),
    31: Row(
        "kill -9 of the worker between every two steps",
        "the audit is clean",
        (POINTS + "test_a_worker_dies_at", STORM, "tests/test_kill.py::TestKilled::test_the_audit_is_clean"),
    ),
    32: Row(
        "SIGTERM in the middle of a batch",
        "drains, exit code 0",
        (MEMBERS + "test_told_to_stop_in_the_middle_a_part_ends_well",),
    ),
    33: Row(
        "killed for memory",
        "as kill -9; memory is bounded",
        (
            "tests/test_bounds.py::TestPausedWorker::test_it_holds_less_than_its_bound",
            "tests/test_kill.py::TestKilled::test_the_loader_with_its_store_stays_under_two_gigabytes",
        ),
        here="no cgroup on this machine: kill -9, and the bounds of worker and loader",
    ),
    34: Row(
        "one partition is slow or stopped",
        "the others go on",
        (LOADER + "test_a_block_nobody_can_read_stops_its_partition_alone",),
    ),
    35: Row(
        "work goes on, but nothing is confirmed",
        "the watchdog ends the process",
        ("tests/citybrain/test_watchdog.py::test_work_in_hand_without_progress_ends_the_process",),
    ),
    36: Row(
        "places or rules are missing or broken while events come",
        "the event is kept and flagged",
        (
            "tests/streams/test_locate.py::test_a_city_without_polygons_flags_every_point",
            "tests/streams/test_live_rules.py::test_a_file_that_is_gone_keeps_the_old_one",
        ),
    ),
    37: Row(
        "a model is missing, broken, or another than its hash says",
        "refused at the start; the old one stays in force",
        (
            "tests/streams/test_live_rules.py::test_a_bad_file_at_the_start_is_refused",
            "tests/streams/test_live_rules.py::test_a_bad_file_keeps_the_old_one_is_logged_once_and_counted",
        ),
    ),
    38: Row(
        "two versions at work during an update",
        "both versions' blocks are read",
        ("tests/schemas/test_block.py::test_a_newer_block_may_have_more_columns",),
    ),
    39: Row(
        "the connection is cut after the server has stored",
        "one copy",
        (
            CUTS + "test_the_answer_to_an_insert_is_lost",
            CUTS + "test_connections_are_cut_after_some_bytes",
            CUTS + "test_the_store_is_silent_and_then_gone",
            FACE + "test_the_clients_own_replay_after_a_lost_answer_stores_once",
            FACE + "test_a_silent_server_is_left_and_the_same_block_again_stores_once",
        ),
    ),
    40: Row(
        "the store is killed before a part, between table and view, after",
        "table and views are whole after the retry",
        (
            CUTS + "test_the_store_is_killed_while_it_stores",
            POINTS + "test_a_loader_dies_at",
            STORE + "test_a_crash_before_one_view_is_healed_by_the_repeat",
            STORM,
        ),
    ),
    41: Row(
        "a view fails",
        "no position moves; afterwards the view is whole",
        (STORE + "test_a_crash_before_one_view_is_healed_by_the_repeat",),
    ),
    42: Row(
        "kill -9 of the loader between every two steps",
        "the retry changes nothing",
        (POINTS + "test_a_loader_dies_at", WRITER + "test_a_crash_between_any_two_steps_changes_nothing", STORM),
    ),
    43: Row(
        "too many parts, no memory, time-out (252, 241, 159)",
        "the same block under the same token, growing pauses",
        (CUTS + "test_clickhouse_is_busy_for_a_while", FACE + "test_what_may_pass_is_unavailable"),
    ),
    44: Row(
        "wrong rights or schema (516, 60, 16)",
        "stops loudly; does not loop, does not drop",
        (
            CUTS + "test_clickhouse_refuses_for_ever",
            LOADER + "test_what_the_store_refuses_for_ever_stops_the_partition_and_is_stored_after_a_restart",
        ),
    ),
    45: Row(
        "a record is half stored while more than a window of others is stored",
        "compared and completed, not inserted blindly",
        (
            WRITER + "test_a_record_half_stored_long_ago_is_not_inserted_blindly",
            HALF + "test_with_tokens_really_forgotten_a_blind_insert_doubles_and_this_does_not",
            "tests/sinks/test_holds.py::test_the_loader_completes_a_record_half_stored_long_ago",
        ),
    ),
    46: Row(
        "a block of several table partitions breaks off midway",
        "the rest is inserted, nothing doubled",
        (HALF + "test_every_state_a_crash_leaves_becomes_whole", CUTS + "test_connections_are_cut_after_some_bytes"),
    ),
    47: Row(
        "a retry with other settings",
        "settings of an insert are pinned, and checked at the start",
        (
            STORE + "test_the_same_insert_again_changes_nothing_anywhere",
            "tests/sinks/test_migrate.py::test_a_window_too_small_for_a_retry_is_refused_with_the_fix",
        ),
    ),
    48: Row(
        "power cut: the part is kept and its token lost, or the other way round",
        "found by the audit, mended by --repair",
        (
            HALF + "test_with_tokens_really_forgotten_a_blind_insert_doubles_and_this_does_not",
            "tests/citybrain/test_repair.py::test_damaged_tables_become_what_they_were",
        ),
        here="no power to cut on this machine: tokens are removed by hand, tables damaged by hand",
    ),
    49: Row(
        "the disk is full",
        "waits, loses nothing, goes on by itself",
        (DISK + "test_a_full_disk_is_waited_for",),
    ),
    50: Row(
        "columns are added or removed while parts run",
        "stops with the column's name, never shifted values",
        (
            "tests/sinks/test_store.py::test_the_table_takes_every_column_of_a_block",
            "tests/sinks/test_store.py::TestErrors::test_what_the_store_never_takes_is_refused",
        ),
    ),
    51: Row(
        "two processes open one folder",
        "the second is refused and told why",
        ("tests/citybrain/test_running.py::test_the_second_owner_is_refused_and_told_who_is_there",),
    ),
    52: Row(
        "queries take all the time of the machine",
        "loading goes on; queries have limits",
        (
            "tests/faults/test_queries.py::test_queries_take_all_the_time_of_the_machine",
            "tests/sinks/test_store.py::TestErrors::test_a_question_that_takes_too_long_is_stopped",
            "tests/citybrain/test_query_socket.py::TestClientsThatMisbehave::test_more_than_a_few_wait_for_their_turn_and_are_told",
        ),
    ),
    53: Row(
        "late, unordered, repeated events around the edge of a window",
        "the bucket equals a recount",
        (
            "tests/sinks/test_views.py::test_sums_of_readings_do_not_depend_on_their_order",
            "tests/streams/test_watch.py::test_a_partition_that_is_stored_last_changes_nothing",
        ),
    ),
    54: Row(
        "the clock jumps an hour, a leap day, a clock change",
        "nothing changes; alerts are not raised again",
        (
            "tests/streams/test_clock.py::test_a_clock_never_goes_back",
            "tests/streams/test_clock.py::test_steps_of_any_length_cover_each_hour_and_day_once",
        ),
        here="the system's clock cannot be set on this machine: the watch's clock is event time, the loader's the boot clock",
    ),
    55: Row(
        "all raw topics are read again",
        "tables and aggregates are the same, no alert again",
        (
            TOPICS + "test_reading_all_raw_topics_again_changes_nothing",
            "tests/test_watched.py::test_every_alert_is_there_once_over_kills",
            "tests/test_watched.py::test_reading_all_again_brings_nothing_back_that_retention_removed_and_raises_no_alert_again",
        ),
    ),
    56: Row(
        "a backup of an hour ago is put back",
        "the gap is found by offsets and filled from the log",
        (
            "tests/faults/test_restore.py::test_a_backup_of_an_hour_ago_is_put_back",
            "tests/citybrain/test_backup.py::test_a_restore_that_was_cut_off_lets_nobody_write_and_is_begun_anew",
        ),
        here="no chain of audit entries is kept yet: every row, the ledger and every aggregate are compared",
    ),
}
"""By number."""
