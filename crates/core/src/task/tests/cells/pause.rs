//! Pause: what may begin and what runs is held.

use super::cells;

cells! { Pause:
    pending {
        task => "ready READY/EXECUTE 0/0 held · task PAUSED/EXECUTE",
    }
    running {
        task => "runs RUNNING/EXECUTE 1/1 held · ready READY/EXECUTE 0/0 held · task PAUSED/EXECUTE",
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
        task => "no: RETRY ROLLBACK DELETE",
    }
    canceled {
        task => "no: RETRY ROLLBACK DELETE",
    }
    undoing {
        task => "runs RUNNING/ROLLBACK 2/1 held · ready READY/ROLLBACK 1/0 held · task PAUSED/ROLLBACK",
    }
    undoing_paused {
        task => "no: CANCEL RESUME",
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
