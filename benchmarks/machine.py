"""Describe the machine, and read the processor time and memory of processes."""

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
IDLE = {"idle", "iowait", "guest", "guest_nice"}  # guest time is part of user time


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
    """Describe the Python build with its speed: builds of one version differ by half, depending on their optimization."""
    began, count = time.process_time(), 0
    while count < LOOP_COUNT:
        count += 1
    seconds = time.process_time() - began
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{python} ({LOOP_COUNT // 1_000_000} million turns of a loop in {seconds:.2f} s)"


def read_processor_ms(process: psutil.Process) -> float:
    """Return the processor time of the process itself, in milliseconds. Other programs on the machine hardly change it."""
    times = process.cpu_times()
    return float(times.user + times.system) * 1000


def read_exact_processor_ms(process: psutil.Process) -> float:
    """Return the processor time of the process to the nanosecond. Linux derives the number of its processor clock from its id."""
    return time.clock_gettime_ns(~process.pid << 3 | 2) / 1e6


def read_tree_ms(process: psutil.Process) -> float:
    """Return the processor time of the process and all its children, including those that have ended, in milliseconds.

    Running processes are read to the nanosecond: `/proc` rounds to 10 ms, and a window of one second has a dozen processes. A process that
    ends during the reading would be missed with all its time, so all are read again then. PostgreSQL's processes end at the end of a
    window, when a server closes the connections of abandoned requests.
    """
    for _ in range(READINGS):
        with suppress(psutil.NoSuchProcess, OSError):
            members = [process, *process.children(recursive=True)]
            ended_ms = [_read_ended_ms(each) for each in members]
            running = [read_exact_processor_ms(each) for each in members]
            if ended_ms == [_read_ended_ms(each) for each in members]:
                return sum(ended_ms) + sum(running)
    raise RuntimeError(f"Processor time cannot be read: children of process {process.pid} ended during each of {READINGS} readings.")


def _read_ended_ms(process: psutil.Process) -> float:
    """Return the processor time of its ended children. Each child counts once, for the process that waited for it."""
    times = process.cpu_times()
    return float(times.children_user + times.children_system) * 1000


def read_memory_mib(process: psutil.Process) -> float:
    return sum(float(each.memory_info().rss) for each in (process, *process.children(recursive=True))) / 2**20


@dataclass(frozen=True)
class ProcessorTimes:
    """The time of the clock, and the processor time of all processes and of the measured ones up to then, in milliseconds."""

    clock: float
    everyone: float
    measured: float

    @classmethod
    def read(cls, measured: Iterable[psutil.Process]) -> "ProcessorTimes":
        """Read the times. `measured` are the servers and databases; this process and its load generators count as measured too."""
        times = psutil.cpu_times()
        busy = sum(value for name, value in times._asdict().items() if name not in IDLE)
        own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        ours = sum(each.ru_utime + each.ru_stime for each in own) * 1000 + sum(read_tree_ms(each) for each in measured)
        return cls(time.perf_counter() * 1000, busy * 1000, ours)

    def others_share_until(self, later: "ProcessorTimes") -> float:
        """Return the share of all processors that other programs used, including time that the host of a virtual machine took."""
        others_ms = (later.everyone - self.everyone) - (later.measured - self.measured)
        return max(0.0, others_ms / ((later.clock - self.clock) * CORES))
