"""A flow of three real `sh -c true`, one at a time and ten at a time, beside the bare spawns of the same run."""

import statistics
import subprocess
import time

from rig import ROUNDS, File, Server, emit, peer, quantile, ratio, say

STEPS = [{"name": name, "needs": needs, "run": {"shell": "true"}} for name, needs in (("a", []), ("b", ["a"]), ("c", ["b"]))]
SPEC = {"name": "flow", "subtasks": STEPS}


def floor():
    """Milliseconds of three spawns."""
    times = []
    for _ in range(200):
        began = time.perf_counter()
        for _ in range(3):
            subprocess.run(["/bin/sh", "-c", "true"], check=True)
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def measure(make):
    database = make()
    server = Server(database, settings="[worker]\nslots = 10\n")
    server.submit(SPEC, 5, 1)
    asked = {}
    for _ in range(100):
        began = time.time()
        task = server.submit(SPEC, 1)
        asked[task] = began
        while not server.post("{ tasks(first: 1) { nodes { finishedAt } } }")["tasks"]["nodes"][0]["finishedAt"]:
            time.sleep(0.002)
    ends = finished(database, task)
    alone = [(ends[task] - began) * 1000 for task, began in asked.items()]
    began = time.time()
    last = server.submit(SPEC, 600)
    while int(database.sql("select count(*) from task where finished_at is null")):
        time.sleep(0.1)
    ends = finished(database, last)
    together = 600 / (max(ends.values()) - began)
    server.stop()
    return alone, together


def finished(database, last):
    rows = database.sql(f"select id, finished_at from task where id <= {last}").splitlines()
    return {int(task): int(end) / 1e6 for task, end in (row.split("|") for row in rows)}


def run(cluster, names=("PostgreSQL", "SQLite")):
    count = iter(range(1000))
    makes = {"PostgreSQL": lambda: cluster.create(f"flow{next(count)}"), "SQLite": File}
    theirs = peer("flow.sh", "floor", "dagu")
    bare = emit("floor", "three `sh -c true` by the standard library", floor(), "ms")
    for kind in names:
        say(f"flow on {kind}")
        runs = [measure(makes[kind]) for _ in range(ROUNDS)]
        alone = [ms for some, _ in runs for ms in some]
        lone = emit("Taskloom", f"3-step flow of sh -c true, idle, median, {kind}", statistics.median(alone), "ms", f"from the call that submits it; p99 {quantile(alone, 0.99):.1f} ms; goal ≤ 6 ms")
        many = emit("Taskloom", f"3-step flow of sh -c true, 10 at a time, {kind}", statistics.median(rate for _, rate in runs), "flows/s", "600 flows, submission included; goal ≥ 300/s")
        ratio(f"flow, idle, {kind}", lone, bare, "bare spawns", "≤ 3")
        if theirs:
            dagu = [(figure, value) for (who, figure), value in theirs.items() if who == "dagu"]
            ratio(f"flow, idle, {kind}", lone, next(value for figure, value in dagu if figure.endswith("by its own log")), "dagu, inside its process", "≤ 0.5")
            ratio(f"flows, 10 at a time, {kind}", many, next(value for figure, value in dagu if "10 at a time" in figure), "dagu", "≥ 10")
