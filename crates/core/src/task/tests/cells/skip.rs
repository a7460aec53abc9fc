//! Skip: a failure counts as done, and its downstreams go on.

use super::cells;

cells! { Skip:
    pending {
        task => "no: CANCEL PAUSE",
        ready => "no: CANCEL",
        waits => "no: -",
        failed => "failed SUCCESSFUL/SKIP 0/0 · task RUNNING/EXECUTE",
    }
    running {
        task => "no: CANCEL PAUSE",
        done => "no: -",
        runs => "no: CANCEL",
        waits => "no: -",
        ready => "no: CANCEL",
        failed => "failed SUCCESSFUL/SKIP 1/1",
        stops => "no: -",
    }
    paused {
        task => "no: CANCEL RESUME",
        done => "no: -",
        runs => "no: CANCEL",
        waits => "no: -",
        ready => "no: CANCEL",
        failed => "failed SUCCESSFUL/SKIP 1/1",
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
        task => "no: RETRY ROLLBACK DELETE",
        done => "no: -",
        failed => "failed SUCCESSFUL/SKIP 1/1 · waits READY/EXECUTE 0/0 · task RUNNING/EXECUTE",
        waits => "no: -",
        other => "other SUCCESSFUL/SKIP 1/1",
    }
    canceled {
        task => "no: RETRY ROLLBACK DELETE",
        done => "no: -",
        stops => "stops SUCCESSFUL/SKIP 1/1 · waits READY/EXECUTE 0/0 · task RUNNING/EXECUTE",
        waits => "no: -",
        failed => "failed SUCCESSFUL/SKIP 1/1 · task FAILED/EXECUTE",
    }
    undoing {
        task => "no: CANCEL PAUSE",
        done => "no: -",
        runs => "no: CANCEL",
        undone => "no: -",
        ready => "no: CANCEL",
        failed => "failed PENDING/SKIP 2/1",
        stops => "no: -",
    }
    undoing_paused {
        task => "no: CANCEL RESUME",
        done => "no: -",
        runs => "no: CANCEL",
        undone => "no: -",
        ready => "no: CANCEL",
        failed => "failed PENDING/SKIP 2/1",
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
        stops => "done READY/ROLLBACK 1/0 · stops PENDING/SKIP 2/1 · task RUNNING/ROLLBACK",
        undone => "no: -",
        failed => "failed PENDING/SKIP 2/1 · task FAILED/ROLLBACK",
    }
    undoing_failed {
        task => "no: ROLLBACK DELETE",
        done => "no: -",
        failed => "done READY/ROLLBACK 1/0 · failed PENDING/SKIP 2/1 · task RUNNING/ROLLBACK",
        undone => "no: -",
    }
    rolled_back {
        task => "no: DELETE",
        undone => "no: -",
        too => "no: -",
        never => "no: -",
    }
}
