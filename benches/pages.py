"""What one request may need: the most memory that the server has while it answers, above what it had before, and how long it takes.

Asked over HTTP alone, so that any TASKLOOM binary can be measured. What a binary does not answer is shown by its status.
"""

import http.client
import json
import os
import time
from pathlib import Path

from rig import ROUNDS, File, Server, emit, say

LINES = 4_000
LONG = 64 * 1024
TASKS = int(os.environ.get("WIDE", "300"))
LOG = f"log(limit: 10000) {{ nextLine lines {{ number text }} }}"


def settle(server):
    """Until nothing runs."""
    query = "{ tasks(first: 1, filter: {states: [PENDING, RUNNING]}) { nodes { id } } }"
    while server.post(query)["tasks"]["nodes"]:
        time.sleep(0.2)


def fill(server):
    """The talker's subtask."""
    say("2,000 tasks of 17 steps")
    server.submit({"name": "lots", "subtasks": [{"name": f"step {n}", "run": {"noop": {}}} for n in range(17)]}, 2_000)
    say(f"a log of {LINES} lines of 64 KiB")
    code = f"line=$(head -c {LONG - 1} /dev/zero | tr '\\0' x); i=0; while [ $i -lt {LINES} ]; do printf '%s\\n' \"$line\"; i=$((i+1)); done"
    talker = server.submit({"name": "talker", "subtasks": [{"name": "a", "run": {"shell": code}}]}, 1)
    say(f"{TASKS} tasks with definitions of 1 MiB")
    server.submit({"name": "wide", "subtasks": [{"name": "a", "run": {"shell": "true #" + "x" * 1_000_000}}]}, TASKS, each=1)
    settle(server)
    found = server.post("query($n: BigInt!) { task(databaseId: $n) { subtasks { databaseId logLines } } }", {"n": talker})
    subtask = found["task"]["subtasks"][0]
    assert subtask["logLines"] >= LINES, subtask
    return talker, subtask["databaseId"]


def ask(server, method, path, body=None):
    """Seconds, status, and how many bytes were answered; the body is not kept."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    headers = {"content-type": "application/json", "authorization": f"Bearer {server.token}"}
    began, size, status = time.perf_counter(), 0, "cut off"
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        status, head = answer.status, b""
        while part := answer.read(1 << 20):
            size += len(part)
            head = head or part[:20_000]
        if b'"errors":[' in head and b'"data"' not in head.split(b'"errors":[')[0]:
            status = "refused"
    except (OSError, http.client.HTTPException) as error:
        status = type(error).__name__
    connection.close()
    return time.perf_counter() - began, status, size


def measure(server, figure, method, path, body=None):
    """The most that it needed in any of the rounds, and the median of their times."""
    process = Path(f"/proc/{server.process.pid}/clear_refs")
    runs = []
    for _ in range(ROUNDS):
        process.write_text("5")
        before, _ = server.memory()
        took, status, size = ask(server, method, path, body)
        runs.append((server.memory()[1] - before, took, status, size))
    peak = max(run[0] for run in runs)
    took, status, size = sorted(run[1:] for run in runs)[len(runs) // 2]
    emit("Taskloom", f"{figure}, {server.database.kind}", peak, "MB", f"peak above idle, goal < 64; {took * 1000:.0f} ms, {status}, {size / 1e6:.1f} MB answered")


def run(cluster, names=("PostgreSQL", "SQLite")):
    for kind in names:
        server = Server(cluster.create("pages") if kind == "PostgreSQL" else File())
        task, subtask = fill(server)
        one = f"subtask(databaseId: {subtask}) {{ {LOG} }}"
        graph = lambda query: ("POST", "/graphql", json.dumps({"query": query}))
        measure(server, "log(limit: 10000) of 4,000 lines of 64 KiB", *graph(f"{{ {one} }}"))
        measure(server, "four aliases of it", *graph("{ " + " ".join(f"{name}: {one}" for name in "abcd") + " }"))
        measure(server, "the same log of Linkis, size=10000", "GET", f"/api/rest_j/v1/entrance/{task}/log?size=10000")
        measure(server, f"tasks(first: 1000) with their subtasks' names, {TASKS} of 1 MiB", *graph("{ tasks(first: 1000) { nodes { subtasks { name } } } }"))
        measure(server, "OCP's page of 2,000 tasks of 17 subtasks", "GET", "/api/v2/tasks/instances?size=2000&name=lots")
        server.stop()
