"""From the start of the process to the first ready answer, and what an idle server holds."""

import statistics
import time

from rig import File, Server, emit, say


def run(cluster, names=("PostgreSQL", "SQLite")):
    makes = {"PostgreSQL": lambda: cluster.create("start"), "SQLite": File}
    for kind in names:
        say(f"start on {kind}")
        database = makes[kind]()
        first = Server(database)
        emit("Taskloom", f"first start to ready, {kind}", first.start_ms, "ms", "migrations and the administrator's account included")
        first.stop()
        starts, memory = [], []
        for _ in range(10):
            server = Server(database, first.folder)
            starts.append(server.start_ms)
            time.sleep(1)
            memory.append(server.memory()[0])
            server.stop()
        emit("Taskloom", f"start to ready, {kind}, median of 10", statistics.median(starts), "ms", "goal < 300")
        emit("Taskloom", f"idle memory (RSS), {kind}", statistics.median(memory), "MB", "1 s after the start; goal < 60")
