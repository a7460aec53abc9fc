"""What every benchmark stands on: a private PostgreSQL, a release server as a process, one figure a line.

Nothing here measures; it starts real parts, with the durability that they have by default, and ends what it started.
"""

import atexit
import functools
import http.client
import json
import os
import pwd
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BINARY = os.environ.get("TASKLOOM") or sys.exit("TASKLOOM must name the release binary: start this with `make bench`")
ROUNDS = int(os.environ.get("ROUNDS", "3"))
PASSWORD = "benchmark-password"
PEERS = os.environ.get("PEERS")
PEERS_WORK = os.environ.get("PEERS_WORK", "/tmp/taskloom-peers")
FIGURES = []


def say(text):
    print("#", time.strftime("%T"), text, file=sys.stderr, flush=True)


def emit(who, figure, value, unit, conditions=""):
    """One line of JSON, as the peers' scripts print them."""
    line = {"peer": who, "figure": figure, "value": float(f"{value:.4g}"), "unit": unit, "conditions": conditions}
    FIGURES.append(line)
    print(json.dumps(line), flush=True)
    return value


def ratio(figure, ours, theirs, than, goal):
    """A ratio of two figures of this run; the goal beside it."""
    emit("ratio", f"{figure}: Taskloom / {than}", ours / theirs, "×", f"goal {goal}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def quantile(values, q):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


class Postgres:
    """A private cluster with every setting that touches durability at its default."""

    def __init__(self):
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        self.bin = found[-1] if found else Path(shutil.which("initdb")).parent
        self.folder = Path(tempfile.mkdtemp(prefix="taskloom-bench-pg-"))
        self.port = free_port()
        self.user = []
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            self.user = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
        data = str(self.folder / "data")
        self.call("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C")
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c max_connections=300"
        self.call("pg_ctl", "-D", data, "-w", "-l", str(self.folder / "log"), "-o", options, "start")
        atexit.register(self.stop)

    def call(self, name, *arguments):
        command = [*self.user, str(self.bin / name), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.folder)

    def stop(self):
        if self.folder.exists():
            self.call("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")
            shutil.rmtree(self.folder)

    def create(self, name):
        self.sql("postgres", f"create database {name}")
        return Database(self, name)

    def psql(self, name, *arguments):
        at = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"]
        return [str(self.bin / "psql"), *at, "-XqAt", "-v", "ON_ERROR_STOP=1", *arguments, name]

    def sql(self, name, text):
        done = subprocess.run(self.psql(name), input=text, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode:
            sys.exit(f"psql: {done.stderr}")
        return done.stdout.strip()

    def pgbench(self, name, script, connections, seconds, **variables):
        """Transactions a second of a script of bare statements."""
        path = self.folder / "floor.sql"
        path.write_text(script)
        path.chmod(0o644)
        defined = [part for key, value in variables.items() for part in ("-D", f"{key}={value}")]
        at = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"]
        load = ["-n", "-M", "prepared", "-c", str(connections), "-j", "1", "-T", str(seconds), "-f", str(path)]
        done = subprocess.run(["pgbench", *at, *load, *defined, name], capture_output=True, text=True, check=True)
        return float(next(line.split()[2] for line in done.stdout.splitlines() if line.startswith("tps")))


class Database:
    """One database of the cluster, as the benchmarks ask it."""

    kind = "PostgreSQL"

    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name
        self.url = f"postgres://postgres@127.0.0.1:{cluster.port}/{name}"
        self.flags = ["--database-url", self.url]

    def sql(self, text):
        return self.cluster.sql(self.name, text)

    def commits(self):
        self.cluster.sql(self.name, "select pg_stat_force_next_flush()")
        return int(self.sql(f"select xact_commit from pg_stat_database where datname = '{self.name}'"))

    def settle(self):
        self.sql("vacuum (freeze, analyze); checkpoint")


class File:
    """The SQLite file of a data folder."""

    kind = "SQLite"
    flags = []

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="taskloom-bench-data-"))
        self.url = f"sqlite://{self.folder}/taskloom.db"
        atexit.register(shutil.rmtree, self.folder, True)

    def sql(self, text):
        with sqlite3.connect(self.folder / "taskloom.db", isolation_level=None, timeout=30) as base:
            rows = [row for part in text.split(";\n") for row in base.execute(part).fetchall()]
        return "\n".join("|".join("" if cell is None else str(cell) for cell in row) for row in rows)

    def commits(self):
        return 0

    def settle(self):
        self.sql("analyze")


class Server:
    """`taskloom serve` as a process of its own."""

    def __init__(self, database, folder=None, settings=""):
        self.database = database
        self.folder = Path(folder or getattr(database, "folder", None) or tempfile.mkdtemp(prefix="taskloom-bench-data-"))
        if folder is None and not hasattr(database, "folder"):
            atexit.register(shutil.rmtree, self.folder, True)
        (self.folder / "taskloom.toml").write_text(settings)
        self.port = free_port()
        self.log = open(self.folder / "server.log", "ab")
        command = [BINARY, "serve", "--listen", f"127.0.0.1:{self.port}", "--data-dir", str(self.folder), *database.flags]
        environment = {**os.environ, "TASKLOOM_ADMIN_PASSWORD": PASSWORD}
        began = time.perf_counter()
        self.process = subprocess.Popen(command, env=environment, stdout=self.log, stderr=self.log)
        atexit.register(self.stop)
        self.wait()
        self.start_ms = (time.perf_counter() - began) * 1000
        self.connection = None

    def wait(self):
        for _ in range(20_000):
            if self.process.poll() is not None:
                sys.exit(f"the server did not start:\n{(self.folder / 'server.log').read_text()[-2000:]}")
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as plug:
                    plug.sendall(b"GET /readyz HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n")
                    if b" 200 " in plug.recv(64):
                        return
            except OSError:
                pass
            time.sleep(0.001)
        sys.exit("the server was not ready after 20 s")

    @functools.cached_property
    def token(self):
        command = [BINARY, "token", "create", "--user", "admin", "--role", "ADMIN", "--data-dir", str(self.folder)]
        made = subprocess.run([*command, *self.database.flags], stdout=subprocess.PIPE, text=True, check=True)
        return made.stdout.strip()

    def post(self, query, variables=None):
        """The data of one request."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        headers = {"content-type": "application/json", "authorization": f"Bearer {self.token}"}
        self.connection.request("POST", "/graphql", json.dumps({"query": query, "variables": variables or {}}), headers)
        answer = json.loads(self.connection.getresponse().read())
        if "errors" in answer:
            sys.exit(f"refused: {json.dumps(answer['errors'])[:1000]}")
        return answer["data"]

    def submit(self, spec, count, each=25):
        """Submits the same definition `count` times, several in one request."""
        left = count
        while left:
            some = min(each, left)
            roots = " ".join(f"t{n}: submitTask(input: {{spec: $spec}}) {{ task {{ databaseId }} }}" for n in range(some))
            last = self.post(f"mutation($spec: SpecInput!) {{ {roots} }}", {"spec": spec})
            left -= some
        return last[f"t{some - 1}"]["task"]["databaseId"]

    def memory(self):
        """Resident megabytes now, and the most so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text().split()
        return tuple(int(status[status.index(key) + 1]) / 1024 for key in ("VmRSS:", "VmHWM:"))

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()


def peer(script, *names, **settings):
    """The figures of a peers' script, run now; nothing when no folder of peers is given."""
    if not PEERS:
        return {}
    say(f"peers: {script} {' '.join(names)}")
    environment = {**os.environ, **{key: str(value) for key, value in settings.items()}}
    done = subprocess.run(["bash", f"{PEERS}/{script}", PEERS_WORK, *names], env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{PEERS}/{script} failed: run {PEERS}/lib/setup.sh {PEERS_WORK} once before")
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    for line in found:
        emit(f"{line['peer']} {line['version']}", line["figure"], line["value"] or float("nan"), line["unit"], line["conditions"])
    return {(line["peer"], line["figure"]): line["value"] for line in found}
