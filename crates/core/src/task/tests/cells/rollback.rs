//! Rollback: what ran is undone; what is already undone is left alone.

use super::cells;

cells! { Rollback:
    pending {
        task => "no: CANCEL PAUSE",
    }
    running {
        task => "no: CANCEL PAUSE",
    }
    paused {
        task => "no: CANCEL RESUME",
    }
    canceling {
        task => "no: -",
    }
    successful {
        task => "no: DELETE",
    }
    failed {
        task => "done SUCCESSFUL/ROLLBACK 1/0 · failed READY/ROLLBACK 1/0 · other READY/ROLLBACK 1/0 · task RUNNING/ROLLBACK",
    }
    canceled {
        task => "done SUCCESSFUL/ROLLBACK 1/0 · stops READY/ROLLBACK 1/0 · failed READY/ROLLBACK 1/0 · task RUNNING/ROLLBACK",
    }
    undoing {
        task => "no: CANCEL PAUSE",
    }
    undoing_paused {
        task => "no: CANCEL RESUME",
    }
    undoing_canceling {
        task => "no: -",
    }
    undoing_canceled {
        task => "stops READY/ROLLBACK 2/0 · failed READY/ROLLBACK 2/0 · task RUNNING/ROLLBACK",
    }
    undoing_failed {
        task => "failed READY/ROLLBACK 2/0 · task RUNNING/ROLLBACK",
    }
    rolled_back {
        task => "no: DELETE",
    }
}
