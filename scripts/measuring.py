"""A command with all its processes: its time and CPU time, and, in a run of its own, its
memory: whoever looks at that ten times a second takes a twelfth of a core."""

import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple


class Memory(threading.Thread):
    """Watches the proportional memory of a process and all below it, at its highest."""

    def __init__(self, root):
        super().__init__(daemon=True)
        self.root, self.peak, self.over = root, 0, False

    def run(self):
        while not self.over:
            self.peak = max(self.peak, sum(map(held, family(self.root))))
            time.sleep(0.1)


def family(root):
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()
                parents.setdefault(int(fields[1]), []).append(int(entry))
            except OSError:
                pass
    found, left = [], [root]
    while left:
        found.append(left.pop())
        left += parents.get(found[-1], [])
    return found


def held(process):
    try:
        text = Path("/proc", str(process), "smaps_rollup").read_text()
    except OSError:
        return 0
    found = re.search(r"^Pss:\s+(\d+)", text, re.M)
    return int(found[1]) * 1024 if found else 0


class Timed(NamedTuple):
    """What a command with all its processes took, in seconds; the last three are sums over
    all cores."""

    wall: float
    cpu: float
    # Of cores that had nothing to do.
    idle: float
    # Of cores that worked for others: this machine's, or, where it is virtual, its host's.
    taken: float


def timed(command):
    before, idle, began = os.times(), idle_s(), time.monotonic()
    end(start(command), command)
    wall, idle, after = time.monotonic() - began, idle_s() - idle, os.times()
    cpu = sum(after[2:4]) - sum(before[2:4])
    return Timed(wall, cpu, idle, max(0, wall * os.cpu_count() - cpu - idle))


def idle_s():
    """Seconds that all cores together had nothing to do since the machine's start."""
    numbers = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return (int(numbers[4]) + int(numbers[5])) / os.sysconf("SC_CLK_TCK")


def memory_of(command):
    """Bytes of memory of a command with all its processes, at their highest."""
    process = start(command)
    memory = Memory(process.pid)
    memory.start()
    end(process, command)
    memory.over = True
    return memory.peak


def start(command):
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def end(process, command):
    if status := process.wait():
        sys.exit(f"{command[0]} ended with exit code {status}: {command[-1]}")
