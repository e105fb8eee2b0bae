"""The machine that is measured on: what it is, and how much of its processors was had by whom."""

import os
import platform
import resource
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

TICKS = os.sysconf("SC_CLK_TCK")
CORES = os.cpu_count() or 1
TURNS = 10_000_000
READINGS = 100
IDLE = {"idle", "iowait", "guest", "guest_nice"}  # guests are counted as users already


def say_load() -> None:
    print("load average", load_average())


def load_average() -> str:
    return " ".join(f"{each:.2f}" for each in os.getloadavg())


def described() -> str:
    """Processor, cores and memory."""
    models = [line.partition(": ")[2] for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = models[0] if models else platform.machine()
    return f"{model}, {CORES} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, Linux {platform.release()}"


def python() -> str:
    """Which, and how fast: builds of one version differ by half, as they were optimized or not."""
    began, turn = time.process_time(), 0
    while turn < TURNS:
        turn += 1
    taken = time.process_time() - began
    return f"{platform.python_implementation()} {platform.python_version()} ({TURNS // 1_000_000} million turns of a loop in {taken:.2f} s)"


def processor_ms(process: psutil.Process) -> float:
    """What the server's own process has had of a processor: other programs on the machine hardly change it."""
    times = process.cpu_times()
    return float(times.user + times.system) * 1000


def exact_processor_ms(process: psutil.Process) -> float:
    """The same to the nanosecond: by the processor clock of the process, whose number Linux makes of its id."""
    return time.clock_gettime_ns(~process.pid << 3 | 2) / 1e6


def tree_ms(process: psutil.Process) -> float:
    """The same with all that it started, also what has ended since.

    Those that run are read to the nanosecond: `/proc` rounds to 10 ms, and a window of a second has a dozen processes. What ends while they
    are read would be missed, with all that it ever had, so they are read again: PostgreSQL's processes end with a window, when a server
    closes the connections of requests that were given up.
    """
    for _ in range(READINGS):
        with suppress(psutil.NoSuchProcess, OSError):
            members = [process, *process.children(recursive=True)]
            ended = [_ended_ms(each) for each in members]
            running = [exact_processor_ms(each) for each in members]
            if ended == [_ended_ms(each) for each in members]:
                return sum(ended) + sum(running)
    raise RuntimeError(f"processes of {process.pid} end all the time")


def _ended_ms(process: psutil.Process) -> float:
    """Return what its children had that have ended; each belongs to one process, which has waited for it."""
    times = process.cpu_times()
    return float(times.children_user + times.children_system) * 1000


def memory_mib(process: psutil.Process) -> float:
    return sum(float(each.memory_info().rss) for each in (process, *process.children(recursive=True))) / 2**20


@dataclass(frozen=True)
class Instant:
    """Milliseconds of processors had until a moment: by everyone, by what is measured, and the clock."""

    clock: float
    everyone: float
    ours: float

    @classmethod
    def now(cls, measured: Iterable[psutil.Process]) -> "Instant":
        """`measured` are the servers and the database; this process and the load it made count as ours too."""
        times = psutil.cpu_times()
        busy = sum(value for name, value in times._asdict().items() if name not in IDLE)
        own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        ours = sum(each.ru_utime + each.ru_stime for each in own) * 1000 + sum(tree_ms(each) for each in measured)
        return cls(time.perf_counter() * 1000, busy * 1000, ours)

    def others_until(self, later: "Instant") -> float:
        """The part of all processors that others had, and what the machine's host took away."""
        had = (later.everyone - self.everyone) - (later.ours - self.ours)
        return max(0.0, had / ((later.clock - self.clock) * CORES))
