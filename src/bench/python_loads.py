"""The reference loads of the original exercise, on Python's threads and processes.

usage: python3 -c … calibrate MILLISECONDS
       python3 -c … cpu|io threads|processes WORKERS AMOUNT

`calibrate` prints how many steps take so long on one core; else it prints the
seconds from before the first worker is started until the last one has ended.
AMOUNT is steps of the computation, or milliseconds to wait.
"""

import multiprocessing
import sys
import threading
import time

TRIAL = 1 << 16


def cpu(steps):
    r = 1
    for i in range(steps):
        i %= 1000
        r = (r * r % 10000000 * i + 2 * r * i * i + 3) % 10000000
    return r


def io(milliseconds):
    time.sleep(milliseconds / 1000)


def seconds(work, *arguments):
    began = time.monotonic()
    work(*arguments)
    return time.monotonic() - began


def run(start, load, workers, amount):
    started = [start(target=load, args=(amount,)) for _ in range(workers)]
    for worker in started:
        worker.start()
    for worker in started:
        worker.join()
    if any(getattr(worker, "exitcode", 0) for worker in started):
        sys.exit("a worker failed")


def main(work, *rest):
    if work == "calibrate":
        # A disturbance only slows: the fastest trial counts.
        fastest = min(seconds(cpu, TRIAL) for _ in range(7))
        print(int(TRIAL * float(rest[0]) / 1000 / fastest))
        return
    how, workers, amount = rest
    # Processes as the original had them: forked.
    forked = multiprocessing.get_context("fork").Process
    start = {"threads": threading.Thread, "processes": forked}[how]
    load = {"cpu": cpu, "io": io}[work]
    print(seconds(run, start, load, int(workers), int(amount)))


main(*sys.argv[1:])
