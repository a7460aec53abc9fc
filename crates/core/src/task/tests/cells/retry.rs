//! Retry: what failed runs again, once more, and nothing else.

use super::cells;

cells! { Retry:
    pending {
        task => "no: CANCEL PAUSE",
        ready => "no: CANCEL",
        waits => "no: -",
        failed => "failed READY/RETRY 0/0 · task RUNNING/EXECUTE",
    }
    running {
        task => "no: CANCEL PAUSE",
        done => "no: -",
        runs => "no: CANCEL",
        waits => "no: -",
        ready => "no: CANCEL",
        failed => "failed READY/RETRY 1/0",
        stops => "no: -",
    }
    paused {
        task => "no: CANCEL RESUME",
        done => "no: -",
        runs => "no: CANCEL",
        waits => "no: -",
        ready => "no: CANCEL",
        failed => "failed READY/RETRY 1/0 held",
        stops => "no: -",
    }
    canceling {
        task => "no: -",
        done => "no: -",
        stops => "no: -",
        waits => "no: -",
        failed => "no: -",
    }
    successful {
        task => "no: DELETE",
        done => "no: -",
        skipped => "no: -",
    }
    failed {
        task => "failed READY/RETRY 1/0 · other READY/RETRY 1/0 · task RUNNING/RETRY",
        done => "no: -",
        failed => "failed READY/RETRY 1/0 · task RUNNING/RETRY",
        waits => "no: -",
        other => "other READY/RETRY 1/0 · task RUNNING/RETRY",
    }
    canceled {
        task => "stops READY/RETRY 1/0 · failed READY/RETRY 1/0 · task RUNNING/RETRY",
        done => "no: -",
        stops => "stops READY/RETRY 1/0 · task RUNNING/RETRY",
        waits => "no: -",
        failed => "failed READY/RETRY 1/0 · task RUNNING/RETRY",
    }
    undoing {
        task => "no: CANCEL PAUSE",
        done => "no: -",
        runs => "no: CANCEL",
        undone => "no: -",
        ready => "no: CANCEL",
        failed => "failed READY/ROLLBACK 2/0",
        stops => "no: -",
    }
    undoing_paused {
        task => "no: CANCEL RESUME",
        done => "no: -",
        runs => "no: CANCEL",
        undone => "no: -",
        ready => "no: CANCEL",
        failed => "failed READY/ROLLBACK 2/0 held",
        stops => "no: -",
    }
    undoing_canceling {
        task => "no: -",
        done => "no: -",
        stops => "no: -",
        undone => "no: -",
        failed => "no: -",
    }
    undoing_canceled {
        task => "no: ROLLBACK DELETE",
        done => "no: -",
        stops => "stops READY/ROLLBACK 2/0 · task RUNNING/ROLLBACK",
        undone => "no: -",
        failed => "failed READY/ROLLBACK 2/0 · task RUNNING/ROLLBACK",
    }
    undoing_failed {
        task => "no: ROLLBACK DELETE",
        done => "no: -",
        failed => "failed READY/ROLLBACK 2/0 · task RUNNING/ROLLBACK",
        undone => "no: -",
    }
    rolled_back {
        task => "no: DELETE",
        undone => "no: -",
        too => "no: -",
        never => "no: -",
    }
}
