//! Resume: nothing is held any more.

use super::cells;

cells! { Resume:
    pending {
        task => "no: CANCEL PAUSE",
    }
    running {
        task => "no: CANCEL PAUSE",
    }
    paused {
        task => "runs RUNNING/EXECUTE 1/1 · ready READY/EXECUTE 0/0 · task RUNNING/EXECUTE",
    }
    canceling {
        task => "no: -",
    }
    successful {
        task => "no: DELETE",
    }
    failed {
        task => "no: RETRY ROLLBACK DELETE",
    }
    canceled {
        task => "no: RETRY ROLLBACK DELETE",
    }
    undoing {
        task => "no: CANCEL PAUSE",
    }
    undoing_paused {
        task => "runs RUNNING/ROLLBACK 2/1 · ready READY/ROLLBACK 1/0 · task RUNNING/ROLLBACK",
    }
    undoing_canceling {
        task => "no: -",
    }
    undoing_canceled {
        task => "no: ROLLBACK DELETE",
    }
    undoing_failed {
        task => "no: ROLLBACK DELETE",
    }
    rolled_back {
        task => "no: DELETE",
    }
}
