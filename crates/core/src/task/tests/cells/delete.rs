//! Delete: only what has ended; the decision changes nothing, the rows go.

use super::cells;

cells! { Delete:
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
        task => "nothing",
    }
    failed {
        task => "nothing",
    }
    canceled {
        task => "nothing",
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
        task => "nothing",
    }
    undoing_failed {
        task => "nothing",
    }
    rolled_back {
        task => "nothing",
    }
}
