"""A command with all its processes: its time, its CPU time and its memory."""

import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path


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


def timed(command):
    """Seconds of wall and CPU, and bytes of memory, of a command with all its processes."""
    before, began = os.times(), time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    memory = Memory(process.pid)
    memory.start()
    status = process.wait()
    wall, after = time.monotonic() - began, os.times()
    memory.over = True
    if status:
        sys.exit(f"{command[0]} ended with exit code {status}: {command[-1]}")
    user = after.children_user - before.children_user
    return wall, user + after.children_system - before.children_system, memory.peak
