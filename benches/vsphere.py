"""The task histories of vCenters: how fast a long one is read, and what it costs to follow fifty of them at once.

The vCenters are simulated (`tests/vcsim`) and share this machine's processors with the server.
"""

import http.client
import json
import os
import re
import ssl
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from rig import File, Server, emit, quantile, ratio, say

SIMULATOR = Path(os.environ.get("CARGO_TARGET_DIR", Path.home() / ".cache/taskloom/target")) / "vcsim"
HISTORY = int(os.environ.get("HISTORY", "500000"))
VCENTERS, CHANGES = int(os.environ.get("VCENTERS", "50")), 20
USER, PASSWORD = "administrator@vsphere.local", "secret"
PUT = "mutation($input: PutVcenterInput!) { putVcenter(input: $input) { vcenter { id } } }"


class Simulator:
    """A simulated vCenter as a process of its own."""

    def __init__(self, *flags):
        command = [SIMULATOR, "-stdin", *flags]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ready = json.loads(self.process.stdout.readline())

    def stop(self):
        self.process.stdin.close()
        self.process.wait()

    def register(self, server, name):
        trust = {"trust": "THUMBPRINT", "trusted": self.ready["sha256"]}
        server.post(PUT, {"input": {"name": name, "uuid": name, "address": self.ready["url"], "user": USER, "password": PASSWORD, **trust}})


def bare(simulator):
    """Rows a second of one request after the other that asks for the next thousand, unread: what the vCenter gives at best."""
    host = re.search("https://([^/]+)", simulator.ready["url"]).group(1)
    context = ssl._create_unverified_context()  # nothing but a figure is taken from it
    connection, cookie = http.client.HTTPSConnection(host, context=context), {}

    def call(body):
        envelope = f'<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>{body}</Body></Envelope>'
        headers = {"content-type": "text/xml", "SOAPAction": "urn:vim25/6.7", **cookie}
        connection.request("POST", "/sdk", envelope, headers)
        answer = connection.getresponse()
        if answer.headers.get("set-cookie"):
            cookie["cookie"] = answer.headers["set-cookie"].split(";")[0]
        return answer.read()

    def method(name, kind, this, arguments):
        return call(f'<{name} xmlns="urn:vim25"><_this type="{kind}">{this}</_this>{arguments}</{name}>')

    method("Login", "SessionManager", "SessionManager", f"<userName>{USER}</userName><password>{PASSWORD}</password>")
    made = method("CreateCollectorForTasks", "TaskManager", "TaskManager", "<filter/>").decode()
    collector = re.search(r"<returnval[^>]*>([^<]+)<", made).group(1)
    began, rows = time.perf_counter(), 0
    while some := method("ReadNextTasks", "TaskHistoryCollector", collector, "<maxCount>1000</maxCount>").count(b"<returnval"):
        rows += some
    assert rows >= HISTORY, rows
    return rows / (time.perf_counter() - began)


def first_read(database):
    """Rows a second from the first page to the last on disk, and the most memory of the server above what it had before:
    its own, and with the pages of SQLite's file that it looks through (`mmap_size`, which the system takes back)."""
    simulator, server = Simulator("-history", str(HISTORY)), Server(database)

    def own():
        status = Path(f"/proc/{server.process.pid}/status").read_text().split()
        return int(status[status.index("RssAnon:") + 1]) / 1024

    time.sleep(1)
    (idle, _), own_idle, own_peak = server.memory(), own(), 0
    simulator.register(server, "long")
    began = None
    while True:
        own_peak = max(own_peak, own())
        kept = int(database.sql("select count(*) from vsphere_task") if began is None else database.sql("select coalesce(max(read_at), 0) from vcenter_collection"))
        if began is None and kept:
            began = time.perf_counter()
        elif began is not None and kept:
            took = time.perf_counter() - began
            break
        time.sleep(0.02 if began is None else 0.25)
    rows = int(database.sql("select count(*) from vsphere_task"))
    assert rows == HISTORY, rows
    _, peak = server.memory()
    server.stop()
    simulator.stop()
    return rows / took, own_peak - own_idle, peak - idle


class Watcher(threading.Thread):
    """A subscription: how long after the vCenter's own instant of an end it is told."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.delays, self.count = server, [], 0

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port)
        query = "subscription { vsphereTaskChanged { state task { finishedAt } } }"
        headers = {"content-type": "application/json", "accept": "text/event-stream", "authorization": f"Bearer {self.server.token}"}
        connection.request("POST", "/graphql", json.dumps({"query": query}), headers)
        for line in connection.getresponse():
            if line.startswith(b"data:") and b"vsphereTaskChanged" in line:
                self.count += 1
                change = json.loads(line[5:])["data"]["vsphereTaskChanged"]
                if change["state"] in ("SUCCESS", "ERROR"):
                    at = change["task"]["finishedAt"]
                    seconds = time.mktime(time.strptime(at[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone + float("0" + at[19:26].split("+")[0])
                    self.delays.append(time.time() - seconds)


def follow(database, seconds=30):
    """Share of one processor, median and 99th percentile of the delay, changes a second."""
    simulators = [Simulator("-history", "100", "-rate", str(CHANGES)) for _ in range(VCENTERS)]
    server = Server(database)
    for at, simulator in enumerate(simulators):
        simulator.register(server, f"vc{at}")
    for _ in range(600):
        if int(database.sql("select count(*) from vcenter_collection where state = 'FOLLOWING'")) == VCENTERS:
            break
        time.sleep(0.25)
    else:
        raise SystemExit(f"not every vCenter is followed: {database.sql('select state, reason, message from vcenter_collection')}")
    time.sleep(10)
    watcher = Watcher(server)
    watcher.start()
    time.sleep(2)
    watcher.delays.clear()
    spent = lambda: sum(int(part) for part in Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]) / os.sysconf("SC_CLK_TCK")
    before, count = spent(), watcher.count
    time.sleep(seconds)
    share, changes, delays = (spent() - before) / seconds, (watcher.count - count) / seconds, list(watcher.delays)
    server.stop()
    for simulator in simulators:
        simulator.stop()
    return share, quantile(delays, 0.5), quantile(delays, 0.99), changes


def run(cluster, names=("PostgreSQL", "SQLite")):
    count = iter(range(1000))
    makes = {"PostgreSQL": lambda: cluster.create(f"vsphere{next(count)}"), "SQLite": File}
    simulator = Simulator("-history", str(HISTORY))
    floor = emit("floor", f"a history of {HISTORY} tasks, asked for and not read", bare(simulator), "rows/s", "the simulated vCenter's own limit")
    simulator.stop()
    for kind in names:
        say(f"first read on {kind}")
        rate, own, all_in_all = first_read(makes[kind]())
        memory = f"memory +{own:.0f} MB, with pages of files +{all_in_all:.0f} MB"
        emit("Taskloom", f"first read of a history of {HISTORY} tasks, {kind}", rate, "rows/s", memory)
        ratio(f"first read, {kind}", rate, floor, "the vCenter's own limit", "≈ 1, and 10,000 rows/s")
        say(f"{VCENTERS} vCenters on {kind}")
        share, middle, late, changes = follow(makes[kind]())
        emit("Taskloom", f"following {VCENTERS} vCenters, {kind}", share * 100, "% of a core", f"{changes:.0f} changes/s told")
        emit("Taskloom", f"from an end there to the subscription, {kind}", middle * 1000, "ms", f"median; p99 {late * 1000:.0f} ms; goal 1,000")
