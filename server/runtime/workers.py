"""Run several worker processes on one port. Restart one that ends by itself; stop all with the parent."""

import logging
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from server.runtime.console import print_errors
from server.startup_errors import StartupError

log = logging.getLogger("relaties")
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ServeWorker: TypeAlias = "Callable[[int, bool, Callable[[], None]], None]"
"""Serve until a signal stops it: the worker's number, whether it is the first of that number, and what to call once it answers."""

RESIGNAL_INTERVAL_S = 0.5


@dataclass(frozen=True)
class Worker:
    """A worker process: its number, from 0, and the pipe on which it signals that it answers."""

    number: int
    ready_fd: int

    def is_ready(self) -> bool:
        """Return whether it has signalled that it answers."""
        return bool(select.select([self.ready_fd], [], [], 0)[0])

    def has_started(self) -> bool:
        """Return whether it ever answered: one that did not would fail again if restarted. Call once, when it has ended."""
        try:
            return os.read(self.ready_fd, 1) != b""
        finally:
            os.close(self.ready_fd)


Mask: TypeAlias = "set[signal.Signals | int]"


class Workers:
    """Start, watch and stop workers from the parent process, which serves no requests itself."""

    def __init__(self, count: int, listener: socket.socket, work: ServeWorker) -> None:
        self._count = count
        self._listener = listener
        self._work = work
        self._running: dict[int, Worker] = {}
        self._is_stopping = False
        self._starting: dict[int, signal.Signals] = {}  # those that were stopped before they answered, and how

    def execute(self) -> None:
        """Run until all workers have ended. Signals are blocked and read here, so that none arrives while a worker is forked."""
        before = signal.signal(signal.SIGCHLD, lambda *_: None)  # one without a handler need not be waited for everywhere
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, *STOPPING})
        try:
            for number in range(self._count):
                self._start(number, mask, is_first=True)
            while self._running:
                received = _wait_for_signal(RESIGNAL_INTERVAL_S if self._starting else None)
                if received is None:
                    self._stop_again()
                elif received == signal.SIGCHLD:
                    self._reap(mask)
                else:
                    self._stop(received)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            signal.signal(signal.SIGCHLD, before)

    def _start(self, number: int, mask: Mask, *, is_first: bool) -> None:
        read_fd, write_fd = os.pipe()
        if pid := os.fork():
            os.close(write_fd)
            self._running[pid] = Worker(number, read_fd)
            return
        status = 1
        try:
            os.setpgid(0, 0)  # Ctrl-C is for the parent, which signals us
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            self._work(number, is_first, lambda: _signal_ready(write_fd))
            status = 0
        except StartupError as error:
            print_errors(*error.reasons)
        except Exception:
            log.exception("worker %s", number)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)  # what the parent started is not ours to end

    def _reap(self, mask: Mask) -> None:
        """Reap workers that have ended, and restart them."""
        for pid, worker in [*self._running.items()]:
            ended_pid, status = os.waitpid(pid, os.WNOHANG)
            if not ended_pid:
                continue
            del self._running[pid]
            exit_code, has_started = os.waitstatus_to_exitcode(status), worker.has_started()
            if self._is_stopping or exit_code == 0:
                continue
            if not has_started:
                self._stop(signal.SIGINT)
                self._wait()
                raise StartupError(f"Worker {worker.number} could not begin, and ended with {exit_code}.")
            log.warning("worker %s ended with %s and is started again", worker.number, exit_code)
            self._start(worker.number, mask, is_first=False)

    def _stop(self, signal_number: signal.Signals) -> None:
        """Stop all workers. Close the port here as well, or connections would wait for nobody."""
        self._is_stopping = True
        self._listener.close()
        self._starting = {pid: signal_number for pid, worker in self._running.items() if not worker.is_ready()}
        for pid in self._running:
            os.kill(pid, signal_number)

    def _stop_again(self) -> None:
        """Stop workers that answer though they were stopped before: the signal can be lost while a worker starts."""
        self._starting = {pid: signal_number for pid, signal_number in self._starting.items() if pid in self._running}
        for pid in [pid for pid in self._starting if self._running[pid].is_ready()]:
            os.kill(pid, self._starting.pop(pid))

    def _wait(self) -> None:
        for pid in self._running:
            os.waitpid(pid, 0)
        self._running.clear()


def _wait_for_signal(seconds: float | None) -> signal.Signals | None:
    """Return the next signal; None if none comes in that time."""
    signals = {signal.SIGCHLD, *STOPPING}
    if seconds is None:
        return signal.Signals(signal.sigwait(signals))
    info = signal.sigtimedwait(signals, seconds)
    return signal.Signals(info.si_signo) if info else None


def _signal_ready(write_fd: int) -> None:
    os.write(write_fd, b".")
    os.close(write_fd)
