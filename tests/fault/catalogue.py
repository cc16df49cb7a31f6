"""Every fault that is made on purpose, what is expected of it, and the tests that make it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of docs/ref/faults.md."""

    fault: str
    expected: str
    tests: tuple[str, ...]  # pytest's node ids, or their beginnings


FAULT, INTEGRATION = "tests/fault", "tests/integration"
CATALOGUE = (
    Fault(
        "`kill -9` of each service in turn, of the database, of everything at once",
        "restarted; at most the current GOP and 5 s of video lost; no invariant broken",
        (f"{FAULT}/test_kill_every_process.py", f"{INTEGRATION}/ingest/test_ingest_process.py::test_killed"),
    ),
    Fault(
        "`kill -9` of one of two resolver processes when it has written half of its turn",
        "the other decides on all of it; nothing is lost, nothing is told twice",
        (f"{FAULT}/test_a_resolver_dies_in_its_turn.py",),
    ),
    Fault(
        "an ingest process among several is frozen, as on a host that hangs",
        "its cameras are taken over within 12 s, nobody else's; let go again it disturbs nothing",
        (f"{FAULT}/test_frozen_recorder.py",),
    ),
    Fault(
        "an ingest process among three dies while there is no database",
        "the others record on without a gap and have its camera within 15 s of the database's return",
        (f"{FAULT}/test_death_while_the_database_is_away.py",),
    ),
    Fault(
        "a service hangs: main loop in C with the interpreter's lock, worker thread with it, main loop in C without it",
        "gone within 20 s, its stack in the log, back within 5 s; the others go on",
        (f"{FAULT}/test_hung_processes.py",),
    ),
    Fault(
        "a detector's call never returns, in C without the interpreter's lock; then one of the detector loaded anew",
        "the process goes on, no picture of a recording is lost; told; another detector looks, after the second "
        "hang nobody: movement only; the process ends in time all the same",
        (f"{FAULT}/test_hung_detector.py", f"{INTEGRATION}/ingest/test_detectors_that_hang.py"),
    ),
    Fault(
        "media disk unmounted or exchanged while it is recorded to, another installation's full disk at a start",
        "told; nothing is written to it or deleted from it; recording goes on when the right one is back",
        (f"{FAULT}/test_disks_that_go.py",),
    ),
    Fault(
        "a database that takes 0.6 s for each question",
        "ingest keeps its leases",
        (f"{FAULT}/test_a_slow_database.py",),
    ),
    Fault(
        "a database that can be read and not written, at ingest's start",
        "recorded without a break; the index catches up",
        (f"{INTEGRATION}/ingest/test_a_hub_that_only_reads.py",),
    ),
    Fault(
        "media disk filled to the last byte while database and janitor are away",
        "no recording gap over 2 s; the oldest go; the index follows",
        (f"{FAULT}/test_full_disks.py::test_a_disk_filled",),
    ),
    Fault(
        "media disk without room for more files (inodes), hub and janitor away",
        "no recording gap over 2 s; the oldest go; the index follows",
        (f"{FAULT}/test_full_disks.py::test_a_disk_that_takes_no_more_files",),
    ),
    Fault(
        "media disk filled to 95 % of its files (inodes)",
        "survival mode on, told as that, off again when relieved; no gap over 2 s",
        (f"{FAULT}/test_full_disks.py::test_a_disk_that_runs_out_of_files",),
    ),
    Fault(
        "media disk filled to 95 %",
        "survival mode step by step, the oldest deleted, favourites last; off again when relieved; no gap over 2 s",
        (f"{FAULT}/test_full_disks.py::test_a_disk_that_fills",),
    ),
    Fault(
        "input/output errors on every write of a recording",
        "told; nothing of 10 s lost",
        (f"{FAULT}/test_full_disks.py::test_a_folder_that_refuses",),
    ),
    Fault(
        "database disk filled",
        "calls refused in time, nothing committed is lost, heals when there is room",
        (f"{FAULT}/test_full_disks.py::test_a_full_database_disk",),
    ),
    Fault(
        "database that comes and goes every second or two for 45 s",
        "no recording gap over half a second, no camera changes hands, the index follows, little log",
        (f"{FAULT}/test_a_flapping_database.py::",),
    ),
    Fault(
        "database stopped, killed, restarted, moved",
        "each call answers or refuses within 6 s; recording goes on; heals by itself",
        (
            f"{INTEGRATION}/db/test_hub_outages.py::test_kill_9",
            f"{INTEGRATION}/db/test_hub_outages.py::test_a_database_that_moved",
            f"{INTEGRATION}/db/test_hub_outages.py::test_a_hub_opened_before",
            f"{INTEGRATION}/ingest/test_ingest_process.py::test_recording_goes_on",
        ),
    ),
    Fault(
        "database hung (SIGSTOP): idle, in mid-call, in mid-transaction",
        "each call refuses within 6 s; the transaction is undone; heals by itself",
        (
            f"{INTEGRATION}/db/test_hub_outages.py::test_a_hung_server",
            f"{INTEGRATION}/db/test_hub_outages.py::test_a_server_that_hangs",
            f"{INTEGRATION}/db/test_hub_outages.py::test_a_hung_client",
        ),
    ),
    Fault(
        "all connections in use",
        "refused in time, heals when one is free",
        (f"{INTEGRATION}/db/test_hub_outages.py::test_a_pool_in_full_use",),
    ),
    Fault(
        "cameras that stall, hang up, reset, send garbage, HTML, a flood, lies about their size, over TCP, UDP and TLS",
        "each is told in words; a good camera beside them loses no frame; memory bounded",
        (f"{FAULT}/test_bad_cameras.py",),
    ),
    Fault(
        "a camera changes its resolution in mid-stream, restarts, is busy",
        "a new chunk begins; told",
        (f"{INTEGRATION}/media/test_streams_that_change_or_fail.py::test_a_camera",),
    ),
    Fault(
        "a camera's clock jumps, runs backwards, wraps",
        "followed, or timed by arrival",
        ("tests/unit/media/test_clocks_of_cameras.py",),
    ),
    Fault(
        "the wall clock is set an hour forward and back",
        "every frame recorded; told; nothing deleted for its age",
        (f"{FAULT}/test_clock_jumps.py::test_a_wall_clock", "tests/unit/janitor/test_retention.py::test_a_clock"),
    ),
    Fault(
        "the wall clock is set back by seconds, so that recordings lie one over the other",
        "exported and played in the order of recording, no picture left out or rushed through",
        (f"{FAULT}/test_clock_jumps.py::test_what_is_dated_twice",),
    ),
    Fault(
        "`kill -9` while the wall clock is wrong: an hour, weeks or years ahead, or in 1970",
        "what it left is finished and indexed once the clock is right",
        (f"{INTEGRATION}/ingest/test_dates_of_a_wrong_clock.py",),
    ),
    Fault(
        "a detector that fails, or takes 6 s for a look, just while somebody passes",
        "in the recording mode `person` recorded with the moments before",
        (f"{INTEGRATION}/ingest/test_recording_modes_live.py::test_who_passes",),
    ),
    Fault(
        "a detector so slow that analysis is behind",
        "survival mode gives up step by step what analysis costs; told everywhere; over when it has caught up",
        (f"{INTEGRATION}/janitor/test_survival_by_lag.py",),
    ),
    Fault(
        "face engine slow, away, failing, lying",
        "half a second at most, then cut off for 30 s; tracks go on without faces",
        (f"{INTEGRATION}/face/test_face_client.py",),
    ),
    Fault(
        "MQTT broker dead",
        "nothing is delayed; told once",
        (f"{INTEGRATION}/automation/test_publishing.py::test_a_dead_broker",),
    ),
    Fault(
        "a bit turned over at 1,000 places, files cut anywhere",
        "pictures or a clear word, never a crash; memory bounded",
        (f"{FAULT}/test_flipped_bits.py",),
    ),
    Fault(
        "damaged, shortened, missing and stray chunks",
        "`marengocam check` names each",
        (f"{INTEGRATION}/janitor/test_janitor_service.py::test_check_finds",),
    ),
    Fault(
        "killed after any step of deleting, or of a move to the archive",
        "no invariant broken, the next round finishes it",
        (
            f"{INTEGRATION}/janitor/test_janitor_service.py::test_a_kill_between",
            f"{INTEGRATION}/janitor/test_moving_to_the_archive.py",
        ),
    ),
    Fault(
        "half an hour of faults at random: services killed and stopped, database killed, stopped and crowded, cameras "
        "hanging up, stalling and busy",
        "no call to the database over 5 s; memory level; no invariant broken",
        (f"{FAULT}/test_soak.py",),
    ),
)
