"""A route of a dialect beside the same handler by hand and the same question to the graph; large pages; the end of a log."""

import json
import statistics
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import lists
import logs
from rig import BINARY, ROUNDS, File, Server, emit, free_port, ratio, say

ROUTE = "/api/v2/tasks/instances"
BY_HAND = Path(BINARY).parent / "examples" / "handwritten"


class ByHand:
    """`benches/handwritten.rs` on the database of a server."""

    def __init__(self, database):
        self.port = free_port()
        self.process = subprocess.Popen([BY_HAND, database.url, str(self.port)], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n", "the handler by hand did not start"

    def stop(self):
        self.process.kill()
        self.process.wait()


def get(port, token, path):
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"authorization": f"Bearer {token}"})
    with urllib.request.urlopen(asked, timeout=120) as answer:
        return json.loads(answer.read())["data"]


def document(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/graphql/operations/ocp.listTaskInstances") as answer:
        return answer.read().decode()


def compare(server, hand, tasks, seconds):
    """Requests a second: by hand, by the route, by the graph; taken in turns, the median of each."""
    path, environment = f"{ROUTE}?page=1&size=20", {"TOKEN": server.token}
    by_hand, ours = get(hand.port, server.token, path), get(server.port, server.token, path)
    assert ours == by_hand and ours["page"]["totalElements"] == tasks, (ours, by_hand)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as body:
        json.dump({"query": document(server.port), "variables": {"size": 20}}, body)
        body.flush()
        asked = {
            "by hand": (f"http://127.0.0.1:{hand.port}{path}", environment),
            "route": (f"http://127.0.0.1:{server.port}{path}", environment),
            "graph": (f"http://127.0.0.1:{server.port}/graphql", {**environment, "BODY": body.name}),
        }
        runs = {name: [] for name in asked}
        for turn in range(ROUNDS + 1):
            for name, (url, environment) in asked.items():
                rate, p50, _ = lists.hammer(url, 16, seconds if turn else 2, environment)
                if turn:
                    runs[name].append((rate, p50))
    return {name: sorted(found)[len(found) // 2] for name, found in runs.items()}


def pages(server, hand, tasks, kind):
    """A page of 2,000, one at a time: each of the three tables is asked once."""
    path = f"{ROUTE}?page=1&size=2000"
    assert len(get(server.port, server.token, path)["contents"]) == 2000
    took = {}
    for name, port in (("floor", hand.port), ("Taskloom", server.port)):
        spans = []
        for _ in range(5 * ROUNDS):
            began = time.perf_counter()
            get(port, server.token, path)
            spans.append((time.perf_counter() - began) * 1000)
        took[name] = emit(name, f"a page of 2,000 of {tasks} tasks, {kind}", statistics.median(spans), "ms", "one at a time, read by Python")
    ratio(f"page of 2,000, {kind}", took["Taskloom"], took["floor"], "by hand", "≤ 1.2")


def tail(database, path, size):
    """The end of a log of 1 GB, as a client of OCP reads it, beside that of a short one."""
    server = Server(database)
    short = path.with_name("short.txt")
    subprocess.run(f"tail -c 6000000 '{path}' >'{short}'", shell=True, check=True)
    spans = {}
    for name, file in (("1 GB", path), ("6 MB", short)):
        task = server.submit({"name": "log", "subtasks": [{"name": "show", "run": {"shell": f"cat '{file}'"}}]}, 1)
        while not database.sql(f"select finished_at from task where id = {task}"):
            time.sleep(0.25)
        subtask = database.sql(f"select id from subtask where task_id = {task}")
        before, _ = server.memory()
        found = []
        for _ in range(3 * ROUNDS):
            began = time.perf_counter()
            log = get(server.port, server.token, f"{ROUTE}/{task}/subtasks/{subtask}/log")["log"]
            found.append((time.perf_counter() - began) * 1000)
            assert 4_000_000 < len(log) < 4_300_000 and log.endswith(file.read_bytes()[-100:].decode().rstrip("\n"))
        now, _ = server.memory()
        conditions = f"memory {now - before:+.0f} MB"
        spans[name] = emit("Taskloom", f"the last 4 MiB of a log of {name}, {database.kind}", statistics.median(found), "ms", conditions)
    server.stop()
    ratio(f"end of a log, {database.kind}", spans["1 GB"], spans["6 MB"], "the same of 6 MB", "≈ 1")


def run(cluster, names=("PostgreSQL", "SQLite"), big=1_000_000, small=10_000, seconds=5):
    for kind in names:
        makes = {"PostgreSQL": lambda name: cluster.create(name), "SQLite": lambda _: File()}
        for tasks in (small, big):
            say(f"dialects on {kind}: {tasks} tasks")
            database, folder = lists.fill(lambda: makes[kind](f"dialect{tasks}"), tasks)
            server, hand = Server(database, folder), ByHand(database)
            found = compare(server, hand, tasks, seconds)
            for name, (rate, p50) in found.items():
                emit("floor" if name == "by hand" else "Taskloom", f"OCP's list of 20 of {tasks} tasks, {name}, {kind}", rate, "requests/s", f"16 connections, p50 {p50:.2f} ms")
            ratio(f"cost of the route, {tasks} tasks, {kind}", found["by hand"][0], found["route"][0], "by hand (rates inverted)", "≤ 1.2")
            ratio(f"cost of the graph, {tasks} tasks, {kind}", found["by hand"][0], found["graph"][0], "by hand (rates inverted)", "–")
            if tasks == big:
                pages(server, hand, tasks, kind)
            hand.stop()
            server.stop()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "lines.txt"
            tail(makes[kind]("tail"), path, logs.lines(path))
