"""bench.py [FIGURE …] — measures Taskloom beside the floor of this machine, and beside its peers where they are given.

Figures: starts lists pages dialects chains flows events logs vsphere. Start it by `make bench`; docs/performance.md tells what each means.
TASKLOOM  the release binary          ROUNDS      runs of each, the median counts (3)
PEERS     a folder of peers' scripts  PEERS_WORK  where they are installed
ON        PostgreSQL, SQLite or both  QUIET       seconds of quiet before one more event (15)
"""

import importlib
import json
import os
import platform
import sys
from pathlib import Path

import rig

ALL = ("starts", "lists", "pages", "dialects", "chains", "flows", "events", "logs", "vsphere")


def machine():
    processor = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    memory = int(next(line.split()[1] for line in open("/proc/meminfo") if line.startswith("MemTotal"))) / 2**20
    return f"{os.cpu_count()} cores ({processor}), {memory:.0f} GiB, load {os.getloadavg()[0]:.2f} at start"


def main():
    wanted = sys.argv[1:] or ALL
    if not set(wanted) <= set(ALL):
        sys.exit(__doc__)
    rig.say(machine())
    cluster = rig.Postgres()
    for name in wanted:
        importlib.import_module(name).run(cluster, os.environ.get("ON", "PostgreSQL,SQLite").split(","))
    print(f"\n{machine()}", file=sys.stderr)
    for line in rig.FIGURES:
        print(f"{line['peer']:<22} | {line['figure']:<75} | {line['value']:>9.4g} {line['unit']:<10} | {line['conditions']}", file=sys.stderr)


if __name__ == "__main__":
    main()
