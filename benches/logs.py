"""A step that prints 1 GB of lines: how fast the log takes it in, and what memory that needs."""

import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from rig import ROUNDS, File, Server, emit, peer, ratio, say

BYTES = 1_000_000_000


def lines(path):
    block = "".join(
        f"2026-11-21T02:10:{i % 60:02d}.{i % 1000:03d}Z INFO step 2 of 3: copied object {i:012d} of bucket backups, checksum ok\n"
        for i in range(20_000)
    ).encode()
    with open(path, "wb") as file:
        for _ in range(BYTES // len(block)):
            file.write(block)
    return path.stat().st_size


def floor(path, size):
    rates = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run(f"cat '{path}' | wc -l", shell=True, check=True, stdout=subprocess.DEVNULL)
        rates.append(size / (time.perf_counter() - began) / 1e6)
    return max(rates)


def measure(make, path, size):
    database = make()
    server = Server(database)
    time.sleep(1)
    idle, _ = server.memory()
    task = server.submit({"name": "log", "subtasks": [{"name": "show", "run": {"shell": f"cat '{path}'"}}]}, 1)
    while not database.sql(f"select finished_at from task where id = {task}"):
        time.sleep(0.25)
    took = int(database.sql("select finished_at - started_at from attempt")) / 1e6
    kept = int(database.sql("select log_bytes from subtask"))
    assert kept == size, f"{kept} of {size} bytes were seen"
    _, peak = server.memory()
    stored = int(database.sql("select sum(length(data)) from log_chunk"))
    server.stop()
    return size / took / 1e6, peak - idle, stored


def run(cluster, names=("PostgreSQL", "SQLite")):
    count = iter(range(1000))
    makes = {"PostgreSQL": lambda: cluster.create(f"log{next(count)}"), "SQLite": File}
    theirs = peer("log.sh", "dagu")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lines.txt"
        size = lines(path)
        bare = emit("floor", "cat 1 GB through a pipe into wc -l", floor(path, size), "MB/s")
        for kind in names:
            say(f"log on {kind}")
            runs = [measure(makes[kind], path, size) for _ in range(ROUNDS)]
            rate = emit("Taskloom", f"1 GB of lines into a log, {kind}", statistics.median(rate for rate, _, _ in runs), "MB/s", f"{runs[-1][2] / 1e6:.0f} MB stored; goal ≥ 200")
            emit("Taskloom", f"1 GB of lines into a log, {kind}: memory above idle", max(more for _, more, _ in runs), "MB", "peak; goal < 64")
            ratio(f"log, {kind}", rate, bare, "cat | wc -l", "–")
            for (_, figure), value in theirs.items():
                if figure.endswith("rate"):
                    ratio(f"log, {kind}", rate, value, "dagu", "≥ 1.7")
