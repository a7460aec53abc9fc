"""A list of 20 tasks with 5 subtasks each, out of a million: what the graph costs beside two bare statements."""

import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from rig import ROUNDS, File, Server, emit, peer, ratio, say

QUERY = """query List($first: Int!, $after: String, $filter: TaskFilter) { tasks(first: $first, after: $after, filter: $filter) {
  nodes { databaseId name type state progress createdAt finishedAt
    subtasks { databaseId index name state startedAt finishedAt } }
  pageInfo { hasNextPage endCursor } } }"""

# The same rows on both databases: 5 of 100 tasks failed, spread evenly.
STATE = "case when i * 7919 % 100 < 5 then 'FAILED' when i * 7919 % 100 < 10 then 'PENDING' else 'SUCCESSFUL' end"
ROWS = f"""
insert into task (id, tenant_id, name, task_type, creator, state, operation, backward, priority, labels, prohibit_rollback, progress, created_at, started_at, finished_at)
  select i, (select min(id) from tenant), 'task ' || i, case i % 2 when 0 then 'MANUAL' else 'SCHEDULED' end, 'admin', {STATE}, 'EXECUTE', false, 50, '{{}}', false,
  1.0, 1767225600000000 + i * 10000000, 1767225600000000 + i * 10000000, 1767225605000000 + i * 10000000 from numbers;
insert into subtask (id, task_id, seq, name, description, executor, spec, needs, requires, priority, state, operation, held, progress, weight, runs, tries, max_tries,
  backoff_ms, on_lost, prohibit_rollback, epoch, outputs, log_lines, log_bytes, started_at, finished_at)
  select (i - 1) * 5 + p, i, p - 1, 'step ' || p, 'step ' || p, 'SHELL', '{{"run":{{"shell":"true"}}}}', '[]', '', 50,
  case when p = 5 and i * 7919 % 100 < 5 then 'FAILED' else 'SUCCESSFUL' end, 'EXECUTE', false, 1.0, 1.0, 1, 1, 1, 0, 'RETRY', false, 1, '{{}}', 3, 120,
  1767225600000000 + i * 10000000 + p * 1000000, 1767225601000000 + i * 10000000 + p * 1000000 from numbers, places;
"""
SERIES = {
    "PostgreSQL": ("create temporary table numbers as select i from generate_series(1::bigint, {n}) i;\ncreate temporary table places as select p from generate_series(1::bigint, 5) p;\n", ""),
    "SQLite": (
        "create table numbers as with recursive n(i) as (select 1 union all select i + 1 from n where i < {n}) select i from n;\n"
        "create table places as with recursive n(p) as (select 1 union all select p + 1 from n where p < 5) select p from n;\n",
        "drop table numbers;\ndrop table places;\n",
    ),
}
WRK = """if os.getenv("BODY") then
  wrk.method = "POST"
  wrk.body = io.open(os.getenv("BODY")):read("*a")
end
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("TOKEN")
done = function(s, latency)
  local e = s.errors
  print(string.format("RESULT %.1f %.3f %.3f %d", s.requests / s.duration * 1e6, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, e.connect + e.read + e.write + e.status + e.timeout))
end
"""
FLOOR = """select id, name, task_type, state, progress, created_at, finished_at from task order by id desc limit 21;
select id, task_id, seq, name, state, started_at, finished_at from subtask where task_id = any(:ids::bigint[]) order by task_id, seq;
"""


def fill(make, tasks):
    database = make()
    server = Server(database)
    server.stop()
    before, after = SERIES[database.kind]
    database.sql(before.format(n=tasks) + ROWS + after)
    database.settle()
    return database, server.folder


def body(server, tasks, folder, middle=False, failed=False):
    """A request's file; its answer is checked before any load."""
    variables = {"first": 20}
    if failed:
        variables["filter"] = {"states": ["FAILED"]}
    if middle:
        half = server.post("query($ids: [ID!]) { tasks(first: 1, filter: {ids: $ids}) { edges { cursor } } }", {"ids": [identity(tasks // 2)]})
        variables["after"] = half["tasks"]["edges"][0]["cursor"]
    nodes = server.post(QUERY, variables)["tasks"]["nodes"]
    ids = [node["databaseId"] for node in nodes]
    top = tasks // 2 if middle else tasks + 1
    assert len(ids) == 20 and ids == sorted(ids, reverse=True) and top - 500 < ids[0] < top, ids
    assert all([step["index"] for step in node["subtasks"]] == [0, 1, 2, 3, 4] for node in nodes)
    assert not failed or {node["state"] for node in nodes} == {"FAILED"}
    path = Path(folder) / f"{middle}-{failed}.json"
    path.write_text(json.dumps({"query": QUERY, "variables": variables}))
    return path


def identity(number):
    import base64

    return base64.urlsafe_b64encode(f"Task:{number}".encode()).decode().rstrip("=")


def load(server, path, connections, seconds):
    """Requests a second, p50 and p99 in ms."""
    return hammer(f"http://127.0.0.1:{server.port}/graphql", connections, seconds, {"BODY": str(path), "TOKEN": server.token})


def hammer(url, connections, seconds, environment):
    """The same of any address: TOKEN signs in, BODY names what is posted."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(WRK)
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", script.name, url]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    rate, p50, p99, bad = (float(word) for word in next(line for line in done.stdout.splitlines() if line.startswith("RESULT")).split()[1:])
    assert not bad, f"{bad} requests failed"
    return rate, p50, p99


def measure(database, folder, tasks, seconds, cases):
    server = Server(database, folder)
    time.sleep(1)
    idle, _ = server.memory()
    found = {}
    with tempfile.TemporaryDirectory() as bodies:
        load(server, body(server, tasks, bodies), 16, 3)
        for name, connections, middle, failed in cases:
            path = body(server, tasks, bodies, middle, failed)
            runs = [load(server, path, connections, seconds) for _ in range(ROUNDS)]
            rate, p50, p99 = sorted(runs)[len(runs) // 2]
            figure = f"list 20x5, {name}, {tasks} tasks, {connections} connections, {database.kind}"
            found[name, connections] = emit("Taskloom", figure, rate, "requests/s", f"p50 {p50:.2f} ms, p99 {p99:.2f} ms")
    now, peak = server.memory()
    emit("Taskloom", f"memory (RSS), {tasks} tasks, {database.kind}", now, "MB", f"after the load; peak {peak:.0f} MB, idle {idle:.0f} MB; goal < 100")
    server.stop()
    return found


def run(cluster, names=("PostgreSQL", "SQLite"), big=1_000_000, small=10_000, seconds=8):
    theirs = peer("graphql.sh", "floor", "postgraphile", PEERS_TASKS=big)
    cases = [("newest", 1, False, False), ("newest", 16, False, False), ("middle", 16, True, False), ("middle FAILED", 16, True, True)]
    for kind in names:
        makes = {"PostgreSQL": lambda: cluster.create(f"list{tasks}"), "SQLite": File}
        rates = {}
        for tasks in (small, big):
            say(f"list on {kind}: {tasks} tasks")
            database, folder = fill(makes[kind], tasks)
            rates[tasks] = measure(database, folder, tasks, seconds, cases if tasks == big else cases[1:2])
            if kind == "PostgreSQL" and tasks == big:
                ids = "{" + ",".join(str(big - at) for at in range(20)) + "}"
                floors = [cluster.pgbench(database.name, FLOOR, 16, 5, ids=ids) for _ in range(ROUNDS)]
                bare = emit("floor", f"list 20x5, newest, {big} tasks, 16 connections: two bare statements", statistics.median(floors), "1/s", "pgbench, prepared")
        ours = rates[big]["newest", 16]
        ratio(f"list, {kind}", ours, bare, "two bare statements on PostgreSQL", "≥ 0.5")
        ratio(f"list, {kind}, {small} tasks", rates[small]["newest", 16], ours, f"itself with {big}", "≤ 1.2")
        for (who, figure), value in theirs.items():
            if who == "postgraphile" and figure == f"list 20x5, newest, {big} tasks, 16 connections: rate":
                ratio(f"list, {kind}", ours, value, "PostGraphile", "≥ 6")
