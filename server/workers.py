"""Several workers on one port: processes that share it. One that ends by itself is started again; they end with us."""

import logging
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from server.doctor import UnfitError
from server.output import complain

log = logging.getLogger("relaties")
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Work: TypeAlias = "Callable[[int, bool, Callable[[], None]], None]"
"""Serves until told to stop: the worker's number, whether it is the first of that number, and what to call once it answers."""

AGAIN_S = 0.5


@dataclass(frozen=True)
class Worker:
    """Which one it is, counted from nought, and where it says that it answers."""

    number: int
    said: int

    def is_ready(self) -> bool:
        """Whether it said that it answers."""
        return bool(select.select([self.said], [], [], 0)[0])

    def has_begun(self) -> bool:
        """Who ends without could not begin, and would not if started again. Asked once, when it has ended."""
        try:
            return os.read(self.said, 1) != b""
        finally:
            os.close(self.said)


Mask: TypeAlias = "set[signal.Signals | int]"


class Workers:
    """Started, watched and stopped from the one process that was asked to serve, which answers nobody itself."""

    def __init__(self, count: int, taken: socket.socket, work: Work) -> None:
        self._count = count
        self._taken = taken
        self._work = work
        self._running: dict[int, Worker] = {}
        self._is_stopping = False
        self._starting: dict[int, signal.Signals] = {}  # those that were stopped before they answered, and how

    def execute(self) -> None:
        """Until all have ended. Signals wait for their turn here, so that none comes while a worker is being made."""
        before = signal.signal(signal.SIGCHLD, lambda *_: None)  # one without a handler need not be waited for everywhere
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, *STOPPING})
        try:
            for number in range(self._count):
                self._start(number, mask, is_first=True)
            while self._running:
                received = _wait_for_signal(AGAIN_S if self._starting else None)
                if received is None:
                    self._stop_again()
                elif received == signal.SIGCHLD:
                    self._look(mask)
                else:
                    self._stop(received)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            signal.signal(signal.SIGCHLD, before)

    def _start(self, number: int, mask: Mask, *, is_first: bool) -> None:
        said, say = os.pipe()
        if pid := os.fork():
            os.close(say)
            self._running[pid] = Worker(number, said)
            return
        status = 1
        try:
            os.setpgid(0, 0)  # Ctrl-C is for the one that was asked to serve, which tells us
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            self._work(number, is_first, lambda: _told(say))
            status = 0
        except UnfitError as why:
            complain(*why.reasons)
        except Exception:
            log.exception("worker %s", number)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)  # what was begun before us is not ours to end

    def _look(self, mask: Mask) -> None:
        """Who has ended, and why."""
        for pid, worker in [*self._running.items()]:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if not ended:
                continue
            del self._running[pid]
            how, has_begun = os.waitstatus_to_exitcode(status), worker.has_begun()
            if self._is_stopping or how == 0:
                continue
            if not has_begun:
                self._stop(signal.SIGINT)
                self._wait()
                raise UnfitError(f"Worker {worker.number} could not begin, and ended with {how}.")
            log.warning("worker %s ended with %s and is started again", worker.number, how)
            self._start(worker.number, mask, is_first=False)

    def _stop(self, how: signal.Signals) -> None:
        """No more connections are taken here either, or they would wait for nobody."""
        self._is_stopping = True
        self._taken.close()
        self._starting = {pid: how for pid, worker in self._running.items() if not worker.is_ready()}
        for pid in self._running:
            os.kill(pid, how)

    def _stop_again(self) -> None:
        """Stop workers that answer though they were stopped before: the signal can be lost while a worker starts."""
        self._starting = {pid: how for pid, how in self._starting.items() if pid in self._running}
        for pid in [pid for pid in self._starting if self._running[pid].is_ready()]:
            os.kill(pid, self._starting.pop(pid))

    def _wait(self) -> None:
        for pid in self._running:
            os.waitpid(pid, 0)
        self._running.clear()


def _wait_for_signal(seconds: float | None) -> signal.Signals | None:
    """Return the next signal; None if none comes in that time."""
    wanted = {signal.SIGCHLD, *STOPPING}
    if seconds is None:
        return signal.Signals(signal.sigwait(wanted))
    found = signal.sigtimedwait(wanted, seconds)
    return signal.Signals(found.si_signo) if found else None


def _told(say: int) -> None:
    os.write(say, b".")
    os.close(say)
