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
LOOP_COUNT = 10_000_000
READINGS = 100
IDLE = {"idle", "iowait", "guest", "guest_nice"}  # guests are counted as users already


def print_load() -> None:
    print("load average", load_average())


def load_average() -> str:
    return " ".join(f"{each:.2f}" for each in os.getloadavg())


def describe_machine() -> str:
    """Describe processor, cores and memory."""
    models = [line.partition(": ")[2] for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = models[0] if models else platform.machine()
    return f"{model}, {CORES} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, Linux {platform.release()}"


def describe_python() -> str:
    """Which, and how fast: builds of one version differ by half, as they were optimized or not."""
    began, count = time.process_time(), 0
    while count < LOOP_COUNT:
        count += 1
    seconds = time.process_time() - began
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{python} ({LOOP_COUNT // 1_000_000} million turns of a loop in {seconds:.2f} s)"


def read_processor_ms(process: psutil.Process) -> float:
    """Return the processor time of the process itself: other programs on the machine hardly change it."""
    times = process.cpu_times()
    return float(times.user + times.system) * 1000


def read_exact_processor_ms(process: psutil.Process) -> float:
    """Return the same to the nanosecond: by the processor clock of the process, whose number Linux makes of its id."""
    return time.clock_gettime_ns(~process.pid << 3 | 2) / 1e6


def read_tree_ms(process: psutil.Process) -> float:
    """Return the same with all its children, also those that have ended.

    Those that run are read to the nanosecond: `/proc` rounds to 10 ms, and a window of a second has a dozen processes. What ends while they
    are read would be missed, with all that it ever had, so they are read again: PostgreSQL's processes end with a window, when a server
    closes the connections of requests that were given up.
    """
    for _ in range(READINGS):
        with suppress(psutil.NoSuchProcess, OSError):
            members = [process, *process.children(recursive=True)]
            ended_ms = [_read_ended_ms(each) for each in members]
            running = [read_exact_processor_ms(each) for each in members]
            if ended_ms == [_read_ended_ms(each) for each in members]:
                return sum(ended_ms) + sum(running)
    raise RuntimeError(f"processes of {process.pid} end all the time")


def _read_ended_ms(process: psutil.Process) -> float:
    """Return what its children had that have ended; each belongs to one process, which has waited for it."""
    times = process.cpu_times()
    return float(times.children_user + times.children_system) * 1000


def read_memory_mib(process: psutil.Process) -> float:
    return sum(float(each.memory_info().rss) for each in (process, *process.children(recursive=True))) / 2**20


@dataclass(frozen=True)
class ProcessorTimes:
    """Milliseconds of processors had until a moment: by everyone, by what is measured, and the clock."""

    clock: float
    everyone: float
    measured: float

    @classmethod
    def read(cls, measured: Iterable[psutil.Process]) -> "ProcessorTimes":
        """`measured` are the servers and the database; this process and the load it made count as ours too."""
        times = psutil.cpu_times()
        busy = sum(value for name, value in times._asdict().items() if name not in IDLE)
        own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        ours = sum(each.ru_utime + each.ru_stime for each in own) * 1000 + sum(read_tree_ms(each) for each in measured)
        return cls(time.perf_counter() * 1000, busy * 1000, ours)

    def others_share_until(self, later: "ProcessorTimes") -> float:
        """Return the share of all processors that others had, with the time taken away by the machine's host."""
        others_ms = (later.everyone - self.everyone) - (later.measured - self.measured)
        return max(0.0, others_ms / ((later.clock - self.clock) * CORES))
