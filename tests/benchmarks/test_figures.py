"""Test the arithmetic on measured windows, with numbers that can be checked by hand."""

import subprocess
import sys
from typing import Any

import psutil
import pytest

from benchmarks.figures import Window, best_tenth, build_rows, quartiles
from benchmarks.machine import CORES, TICKS, ProcessorTimes, read_exact_processor_ms, read_tree_ms
from benchmarks.wrk import parse_output


def build_windows(*speeds: float, others: float = 0.0) -> list[Window]:
    return [Window(rps, 10, 20, cpu_ms=1, database_ms=2, memory_mib=50 + rps, others=others) for rps in speeds]


def test_row_has_medians_and_ratios_of_the_passes() -> None:
    """Ratios are computed within a pass: a disturbance of the machine slows both servers of a pass."""
    ours, peer = build_rows("Q1", {"relaties": build_windows(100, 60, 80), "peer": build_windows(50, 20, 20)}, is_best=False, bearable=0.05)
    assert (ours.rps, ours.ratio, ours.ratio_least, ours.ratio_most) == (80, 1, 1, 1)
    assert (peer.rps, peer.ratio, peer.ratio_least, peer.ratio_most) == (20, 3, 2, 4)
    assert (peer.p50, peer.p99, peer.cpu, peer.cpu_database, peer.memory) == (10, 20, 1, 2, 100)


def test_best_tenth_counts_on_a_disturbed_machine() -> None:
    """The median of the 2 fastest of 20 windows counts."""
    slow = build_windows(*range(1, 19))
    ours, peer = build_rows(
        "Q1", {"relaties": [*slow, *build_windows(90, 110)], "peer": [*slow, *build_windows(40, 60)]}, is_best=True, bearable=0.05
    )
    assert [window.rps for window in best_tenth([*slow, *build_windows(90, 110)])] == [110, 90]
    assert (ours.rps, peer.rps, peer.ratio) == (100, 50, 2)
    assert (peer.ratio_least, peer.ratio_most) == (1, 1)


def test_disturbed_windows_are_counted() -> None:
    """Windows count that were still disturbed after measuring them again."""
    disturbed = [*build_windows(1, 2), *build_windows(3, others=0.06)]
    (row,) = build_rows("Q1", {"relaties": disturbed}, is_best=False, bearable=0.05)
    assert (row.windows, row.disturbed) == (3, 1)


def test_a_spread_is_between_the_quartiles() -> None:
    assert quartiles([1, 2, 3, 4, 5]) == (2, 4)
    assert quartiles([7]) == (7, 7)


def test_others_share_excludes_measured_processes() -> None:
    """Within one second the processors worked 900 ms, 400 ms of it for the measured processes."""
    before, after = ProcessorTimes(0, everyone=5_000, measured=1_000), ProcessorTimes(1_000, everyone=5_900, measured=1_400)
    assert before.others_share_until(after) == 0.5 / CORES
    assert before.others_share_until(ProcessorTimes(1_000, everyone=5_000, measured=1_400)) == 0


def test_processor_time_is_not_rounded() -> None:
    """`/proc/PID/stat` counts in steps of 10 ms per process, which is a large part of a short window."""
    with subprocess.Popen([sys.executable, "-c", "print(); input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        process = psutil.Process(child.pid)
        before, measured_ms, after = read_exact_processor_ms(process), read_tree_ms(process), read_exact_processor_ms(process)
        child.communicate(b"\n")
    assert 0 < before <= measured_ms <= after


def test_processor_time_of_ended_children_counts() -> None:
    """It counts as time of the process that started them."""
    script = "import subprocess; subprocess.run(['sh', '-c', 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done']); print(); input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:  # noqa: S603
        assert child.stdout is not None
        child.stdout.readline()
        process = psutil.Process(child.pid)
        own, measured_ms = read_exact_processor_ms(process), read_tree_ms(process)
        ended = process.cpu_times()
        child.communicate(b"\n")
    assert measured_ms >= own + (ended.children_user + ended.children_system) * 1000 > own


PARENT = """
import subprocess
child = subprocess.Popen(["sh", "-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo; read x"], stdin=-1, stdout=-1)
child.stdout.readline(); print(flush=True); input()
child.communicate(b"x"); print(flush=True); input()
"""


class EndingProcess(psutil.Process):
    """A process whose child ends directly after the times of the process were read."""

    def __init__(self, parent: subprocess.Popen[bytes]) -> None:
        super().__init__(parent.pid)
        self._parent = parent
        self.has_ended = False

    def cpu_times(self) -> Any:  # noqa: ANN401 the type of psutil
        times = super().cpu_times()
        if not self.has_ended:
            self.has_ended = True
            parent_input, parent_output = self._parent.stdin, self._parent.stdout
            assert parent_input is not None
            assert parent_output is not None
            parent_input.write(b"\n")
            parent_input.flush()
            parent_output.readline()
        return times


def test_processor_time_of_a_child_that_ends_during_the_reading_counts() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:  # noqa: S603
        assert parent.stdout is not None
        parent.stdout.readline()
        before = read_tree_ms(psutil.Process(parent.pid))
        process = EndingProcess(parent)
        measured_ms = read_tree_ms(process)
        parent.communicate(b"\n")
    assert process.has_ended
    assert measured_ms >= before - 2 * 1000 / TICKS, "apart from the rounding of the ended child's time"


def test_last_line_of_wrk_output_is_parsed() -> None:
    wrk_output = (
        'Running 2s test\nRequests/sec: 1\n{"requests": 300, "bytes": 90300, "micros": 2000000, "failed": 0, "p50": 1500, "p99": 9000}\n'
    )
    window = parse_output(wrk_output, "peer", [300])
    assert (window.rps, window.p50_ms, window.p99_ms) == (150, 1.5, 9)


@pytest.mark.parametrize(
    ("output", "why"), [('"bytes": 900, "failed": 1', "3 requests 1 failed"), ('"bytes": 899, "failed": 0', "899 bytes")]
)
def test_failed_response_ends_the_measurement(output: str, why: str) -> None:
    """A failure shows in the status, or in the size: a response that has only errors is shorter."""
    with pytest.raises(RuntimeError, match=f"peer: of .*{why}"):
        parse_output(f'{{"requests": 3, {output}, "micros": 1, "p50": 1, "p99": 1}}', "peer", [300])
