"""What is made of measured windows: arithmetic, with numbers that can be checked by heart."""

import subprocess
import sys
from typing import Any

import psutil
import pytest

from benchmarks.figures import Window, best_tenth, rows, spread
from benchmarks.machine import CORES, TICKS, Instant, exact_processor_ms, tree_ms
from benchmarks.wrk import heard


def windows(*speeds: float, others: float = 0.0) -> list[Window]:
    return [Window(rps, 10, 20, cpu_ms=1, database_ms=2, memory_mib=50 + rps, others=others) for rps in speeds]


def test_a_row_has_medians_and_the_ratios_of_the_turns() -> None:
    """Each turn is compared with itself: what slows the machine for a while slows both."""
    ours, peer = rows("Q1", {"relaties": windows(100, 60, 80), "peer": windows(50, 20, 20)}, is_best=False, bearable=0.05)
    assert (ours.rps, ours.ratio, ours.ratio_least, ours.ratio_most) == (80, 1, 1, 1)
    assert (peer.rps, peer.ratio, peer.ratio_least, peer.ratio_most) == (20, 3, 2, 4)
    assert (peer.p50, peer.p99, peer.cpu, peer.cpu_database, peer.memory) == (10, 20, 1, 2, 100)


def test_where_others_disturb_the_best_tenth_counts() -> None:
    """Twenty windows: the two fastest; their median."""
    slow = windows(*range(1, 19))
    ours, peer = rows("Q1", {"relaties": [*slow, *windows(90, 110)], "peer": [*slow, *windows(40, 60)]}, is_best=True, bearable=0.05)
    assert [window.rps for window in best_tenth([*slow, *windows(90, 110)])] == [110, 90]
    assert (ours.rps, peer.rps, peer.ratio) == (100, 50, 2)
    assert (peer.ratio_least, peer.ratio_most) == (1, 1)


def test_windows_that_others_disturbed_are_counted() -> None:
    """Those that stayed so after they were measured again."""
    disturbed = [*windows(1, 2), *windows(3, others=0.06)]
    (row,) = rows("Q1", {"relaties": disturbed}, is_best=False, bearable=0.05)
    assert (row.windows, row.disturbed) == (3, 1)


def test_a_spread_is_between_the_quartiles() -> None:
    assert spread([1, 2, 3, 4, 5]) == (2, 4)
    assert spread([7]) == (7, 7)


def test_others_are_all_but_ours() -> None:
    """A second in which the processors gave 900 ms, 400 of them to what is measured."""
    before, after = Instant(0, everyone=5_000, ours=1_000), Instant(1_000, everyone=5_900, ours=1_400)
    assert before.others_until(after) == 0.5 / CORES
    assert before.others_until(Instant(1_000, everyone=5_000, ours=1_400)) == 0


def test_processor_time_is_not_rounded() -> None:
    """`/proc` has it in steps of 10 ms for each process, which is much of a short window."""
    with subprocess.Popen([sys.executable, "-c", "print(); input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        process = psutil.Process(child.pid)
        before, found, after = exact_processor_ms(process), tree_ms(process), exact_processor_ms(process)
        child.communicate(b"\n")
    assert 0 < before <= found <= after


def test_processor_time_of_what_has_ended_still_counts() -> None:
    """With the process that started it."""
    script = "import subprocess; subprocess.run(['sh', '-c', 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done']); print(); input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:  # noqa: S603
        assert child.stdout is not None
        child.stdout.readline()
        process = psutil.Process(child.pid)
        own, found = exact_processor_ms(process), tree_ms(process)
        ended = process.cpu_times()
        child.communicate(b"\n")
    assert found >= own + (ended.children_user + ended.children_system) * 1000 > own


PARENT = """
import subprocess
child = subprocess.Popen(["sh", "-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo; read x"], stdin=-1, stdout=-1)
child.stdout.readline(); print(flush=True); input()
child.communicate(b"x"); print(flush=True); input()
"""


class Ending(psutil.Process):
    """A process whose child ends just after its own times were read."""

    def __init__(self, parent: subprocess.Popen[bytes]) -> None:
        super().__init__(parent.pid)
        self._parent = parent
        self.has_ended = False

    def cpu_times(self) -> Any:  # noqa: ANN401 psutil's own
        times = super().cpu_times()
        if not self.has_ended:
            self.has_ended = True
            said, heard = self._parent.stdin, self._parent.stdout
            assert said is not None
            assert heard is not None
            said.write(b"\n")
            said.flush()
            heard.readline()
        return times


def test_processor_time_of_what_ends_meanwhile_is_not_lost() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:  # noqa: S603
        assert parent.stdout is not None
        parent.stdout.readline()
        before = tree_ms(psutil.Process(parent.pid))
        process = Ending(parent)
        found = tree_ms(process)
        parent.communicate(b"\n")
    assert process.has_ended
    assert found >= before - 2 * 1000 / TICKS, "but for the rounding of what has ended"


def test_of_what_wrk_prints_the_last_line_is_read() -> None:
    said = 'Running 2s test\nRequests/sec: 1\n{"requests": 300, "bytes": 90300, "micros": 2000000, "failed": 0, "p50": 1500, "p99": 9000}\n'
    told = heard(said, "peer", [300])
    assert (told.rps, told.p50_ms, told.p99_ms) == (150, 1.5, 9)


@pytest.mark.parametrize(
    ("told", "why"), [('"bytes": 900, "failed": 1', "3 requests 1 failed"), ('"bytes": 899, "failed": 0', "899 bytes")]
)
def test_an_answer_that_is_no_success_ends_the_measurement(told: str, why: str) -> None:
    """By its status, or as an answer of errors alone, which is shorter."""
    with pytest.raises(RuntimeError, match=f"peer: of .*{why}"):
        heard(f'{{"requests": 3, {told}, "micros": 1, "p50": 1, "p99": 1}}', "peer", [300])
