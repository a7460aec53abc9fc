"""Chains and many small tasks of no-ops: what the engine itself costs, with states, attempts, events and history kept.

The tasks are accepted first, for a label that no worker has yet; then the server is started with that label and the
time is taken from the database: from the first attempt's start to the last task's end.
"""

import statistics
import time

from rig import ROUNDS, File, Server, emit, peer, quantile, ratio, say

LABEL = "bench"
HELD = f"[worker]\nslots = 400\n"
FREE = HELD + f'labels = ["{LABEL}"]\n'


def spec(names, labels):
    steps = [{"name": name, "needs": names[at - 1 : at] if at else [], "run": {"noop": {}}, "workers": labels} for at, name in enumerate(names)]
    return {"name": "bench", "subtasks": steps}


def drain(make, names, tasks):
    """Subtasks finished a second, tasks a second, commits a second."""
    database = make()
    server = Server(database, settings=HELD)
    folder = server.folder
    server.submit(spec(names, [LABEL]), tasks)
    server.stop()
    database.settle()
    before = database.commits()
    server = Server(database, folder, FREE)
    while int(database.sql("select count(*) from task where state in ('PENDING', 'RUNNING')")):
        time.sleep(0.25)
    span = "select (select max(finished_at) from task) - (select min(started_at) from attempt)"
    seconds = int(database.sql(span)) / 1e6
    commits = database.commits() - before
    wrong = int(database.sql("select count(*) from task where state <> 'SUCCESSFUL'"))
    events = int(database.sql("select count(*) from task_event where subtask_state in ('RUNNING', 'SUCCESSFUL')"))
    assert not wrong, f"{wrong} tasks did not succeed"
    assert events >= 2 * tasks * len(names), f"{events} events are too few"
    server.stop()
    return tasks * len(names) / seconds, tasks / seconds, commits


def idle(make):
    """Milliseconds from the call that submits a chain of three to the chain's end, nothing else running."""
    database = make()
    server = Server(database)
    one = spec(["a", "b", "c"], [])
    server.submit(one, 5, 1)
    asked = {}
    for _ in range(200):
        began = time.time()
        asked[server.submit(one, 1)] = began
        time.sleep(0.03)
    while int(database.sql("select count(*) from task where finished_at is null")):
        time.sleep(0.05)
    rows = database.sql("select id, finished_at from task").splitlines()
    ends = {int(task): int(end) / 1e6 for task, end in (row.split("|") for row in rows)}
    server.stop()
    return [(ends[task] - began) * 1000 for task, began in asked.items()]


def run(cluster, names=("PostgreSQL", "SQLite")):
    count = iter(range(1000))
    makes = {"PostgreSQL": lambda: cluster.create(f"queue{next(count)}"), "SQLite": File}
    theirs = peer("queue.sh", "graphile-worker", PEERS_JOBS=8000)
    for kind in names:
        make = makes[kind]
        say(f"queue on {kind}")
        chains = [drain(make, ["a", "b", "c"], 4000) for _ in range(ROUNDS)]
        chain = emit("Taskloom", f"3-step chains of no-ops, {kind}", statistics.median(rate for _, rate, _ in chains), "chains/s", "4,000 chains")
        singles = [drain(make, ["a"], 20_000) for _ in range(ROUNDS)]
        single = emit("Taskloom", f"no-op subtasks finished, {kind}", statistics.median(rate for rate, _, _ in singles), "1/s", f"20,000 tasks of one, {singles[-1][2] or 'uncounted'} commits")
        times = [ms for _ in range(ROUNDS) for ms in idle(make)]
        lone = emit("Taskloom", f"3-step chain, idle, median, {kind}", statistics.median(times), "ms", f"p99 {quantile(times, 0.99):.2f} ms")
        best = [value for (who, figure), value in theirs.items() if figure.startswith("3-step chains") and "default" in figure]
        if best:
            ratio(f"3-step chains, {kind}", chain, max(best), "graphile-worker", "≥ 4")
            jobs = max(value for (_, figure), value in theirs.items() if figure.startswith("no-op jobs") and "default" in figure)
            ratio(f"no-op subtasks, {kind}", single, jobs, "graphile-worker's jobs", "10,000/s and 25,000/s")
            ratio(f"3-step chain, idle, {kind}", lone, theirs["graphile-worker", "3-step chain, idle, median"], "graphile-worker", "≤ 0.5 (4 ms)")
