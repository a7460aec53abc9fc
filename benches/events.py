"""From an event's commit to 1, 100 and 1,000 subscribers, beside a bare broadcaster and what a socket costs in memory."""

import json
import os
import subprocess
import time
from pathlib import Path

from rig import ROUNDS, Server, emit, free_port, peer, ratio, say

CLIENTS = Path(__file__).parent.parent / "tests" / "clients" / "node_modules"
QUERY = "subscription { taskChanged(filter: {tasksOnly: true}) { cursor event { seq: message } } }"
# What the server itself writes with each event: numbers under a lock, the doorbell, the row.
STATEMENT = (
    "begin; select pg_advisory_xact_lock(7305804403), pg_notify('taskloom_event', 'bench'); "
    "insert into task_event (at, tenant_id, task_id, kind, task_state, message) "
    "select created_at, tenant_id, id, 'TASK_CHANGED', state, '$SEQ' from task order by id limit 1; commit;"
)
GOALS = {1: 2, 100: 4, 1000: 15}


def client(options):
    environment = {**os.environ, "CLIENTS": str(CLIENTS)}
    script = str(Path(__file__).parent / "subscribe.mjs")
    command = ["node", script, json.dumps(options)]
    if "serve" in options:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "ready\n"
        return process
    return json.loads(subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout)


def measure(options, count, quiet):
    runs = [client({**options, "subscribers": count, "events": 40, "pause": 100, "quiet": quiet if at == 0 else 0}) for at in range(ROUNDS)]
    assert not sum(run["missing"] for run in runs), runs
    middle = sorted(runs, key=lambda run: run["median"])[len(runs) // 2]
    return middle, runs[0].get("quiet")


def run(cluster, names=("PostgreSQL",)):
    quiet = int(os.environ.get("QUIET", "15"))
    theirs = peer("subscribe.sh", "floor", "postgraphile")
    database = cluster.create("events")
    psql = cluster.psql(database.name)
    port = free_port()
    floor = client({"serve": port})
    bare = {}
    for count in GOALS:
        found, _ = measure({"url": f"ws://127.0.0.1:{port}", "query": ""}, count, 0)
        bare[count] = emit("floor", f"commit to {count} subscribers, median, bare broadcaster", found["median"], "ms", f"p99 {found['p99']:.2f} ms")
    floor.terminate()
    server = Server(database)
    server.submit({"name": "event", "subtasks": [{"name": "a", "run": {"noop": {}}}]}, 1)
    time.sleep(1)
    idle, _ = server.memory()
    for count, goal in GOALS.items():
        say(f"{count} subscribers")
        options = {"url": f"ws://127.0.0.1:{server.port}/graphql", "token": server.token, "query": QUERY, "psql": psql, "statement": STATEMENT}
        found, after = measure(options, count, quiet if count == 1 else 0)
        figure = f"commit to {count} subscribers"
        ours = emit("Taskloom", f"{figure}, median", found["median"], "ms", f"p99 {found['p99']:.2f} ms; goal ≤ {goal} ms")
        ratio(figure, ours, bare[count], "bare broadcaster", "–")
        theirs_now = theirs.get(("postgraphile", f"event to subscriber, {count} subscribers: median"))
        if theirs_now:
            ratio(figure, ours, theirs_now, "PostGraphile", "< 1")
        if after is not None:
            emit("Taskloom", f"{figure}, after {quiet} s of quiet", after, "ms")
    _, peak = server.memory()
    emit("Taskloom", "memory of a socket with a subscription", (peak - idle) * 1024 / max(GOALS), "KB", f"(peak − idle) / {max(GOALS)}; goal < 30")
    server.stop()
