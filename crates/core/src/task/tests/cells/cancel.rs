//! Cancel: what runs is stopped, what has not begun never begins.

use super::cells;

cells! { Cancel:
    pending {
        task => "ready FAILED/CANCEL 0/0 · task CANCELED/CANCEL",
        ready => "ready FAILED/CANCEL 0/0 · task FAILED/EXECUTE",
        waits => "no: -",
        failed => "no: RETRY SKIP",
    }
    running {
        task => "runs CANCELING/CANCEL 1/1 · ready FAILED/CANCEL 0/0 · task CANCELING/CANCEL",
        done => "no: -",
        runs => "runs CANCELING/CANCEL 1/1",
        waits => "no: -",
        ready => "ready FAILED/CANCEL 0/0",
        failed => "no: RETRY SKIP",
        stops => "no: -",
    }
    paused {
        task => "runs CANCELING/CANCEL 1/1 · ready FAILED/CANCEL 0/0 · task CANCELING/CANCEL",
        done => "no: -",
        runs => "runs CANCELING/CANCEL 1/1",
        waits => "no: -",
        ready => "ready FAILED/CANCEL 0/0",
        failed => "no: RETRY SKIP",
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
        failed => "no: RETRY SKIP",
        waits => "no: -",
        other => "no: RETRY SKIP",
    }
    canceled {
        task => "no: RETRY ROLLBACK DELETE",
        done => "no: -",
        stops => "no: RETRY SKIP",
        waits => "no: -",
        failed => "no: RETRY SKIP",
    }
    undoing {
        task => "runs CANCELING/CANCEL 2/1 · ready FAILED/CANCEL 1/0 · task CANCELING/CANCEL",
        done => "no: -",
        runs => "runs CANCELING/CANCEL 2/1",
        undone => "no: -",
        ready => "ready FAILED/CANCEL 1/0",
        failed => "no: RETRY SKIP",
        stops => "no: -",
    }
    undoing_paused {
        task => "runs CANCELING/CANCEL 2/1 · ready FAILED/CANCEL 1/0 · task CANCELING/CANCEL",
        done => "no: -",
        runs => "runs CANCELING/CANCEL 2/1",
        undone => "no: -",
        ready => "ready FAILED/CANCEL 1/0",
        failed => "no: RETRY SKIP",
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
        stops => "no: RETRY SKIP",
        undone => "no: -",
        failed => "no: RETRY SKIP",
    }
    undoing_failed {
        task => "no: ROLLBACK DELETE",
        done => "no: -",
        failed => "no: RETRY SKIP",
        undone => "no: -",
    }
    rolled_back {
        task => "no: DELETE",
        undone => "no: -",
        too => "no: -",
        never => "no: -",
    }
}
