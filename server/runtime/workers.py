"""Run several worker processes on one port. Restart a worker that ends unexpectedly, and stop all with the parent process."""

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
"""Serve until a signal stops it. Arguments: the worker's number, whether it is the first with it, and a callback for when it is ready."""

RESIGNAL_INTERVAL_S = 0.5


@dataclass(frozen=True)
class Worker:
    """A worker process: its number, from 0, and the pipe on which it signals that it is ready."""

    number: int
    ready_fd: int

    def is_ready(self) -> bool:
        """Return whether the worker has signalled that it is ready."""
        return bool(select.select([self.ready_fd], [], [], 0)[0])

    def has_started(self) -> bool:
        """Return whether the worker was ever ready; if not, it would fail again after a restart. Call once, after its end."""
        try:
            return os.read(self.ready_fd, 1) != b""
        finally:
            os.close(self.ready_fd)


Mask: TypeAlias = "set[signal.Signals | int]"


class Workers:
    """Start, watch and stop the workers from the parent process, which serves no requests itself."""

    def __init__(self, count: int, listener: socket.socket, work: ServeWorker) -> None:
        self._count = count
        self._listener = listener
        self._work = work
        self._running: dict[int, Worker] = {}
        self._is_stopping = False
        self._starting: dict[int, signal.Signals] = {}  # workers that were stopped before they were ready, with the signal

    def execute(self) -> None:
        """Run until all workers have ended. Block signals and read them here, so that none arrives while a worker is forked."""
        # Without a handler, some systems discard the signal instead of keeping it for `sigwait`.
        before = signal.signal(signal.SIGCHLD, lambda *_: None)
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
            os.setpgid(0, 0)  # so that Ctrl-C reaches only the parent, which signals the workers
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
            os._exit(status)  # skip exit handlers, which would stop what the parent has started

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
                raise StartupError(f"Worker {worker.number} could not start and ended with status {exit_code}.")
            log.warning("worker %s ended with status %s and is restarted", worker.number, exit_code)
            self._start(worker.number, mask, is_first=False)

    def _stop(self, signal_number: signal.Signals) -> None:
        """Stop all workers. Close the port here as well; otherwise new connections would wait in vain."""
        self._is_stopping = True
        self._listener.close()
        self._starting = {pid: signal_number for pid, worker in self._running.items() if not worker.is_ready()}
        for pid in self._running:
            os.kill(pid, signal_number)

    def _stop_again(self) -> None:
        """Signal again the workers that became ready after they were stopped, as a signal can be lost while a worker starts."""
        self._starting = {pid: signal_number for pid, signal_number in self._starting.items() if pid in self._running}
        for pid in [pid for pid in self._starting if self._running[pid].is_ready()]:
            os.kill(pid, self._starting.pop(pid))

    def _wait(self) -> None:
        for pid in self._running:
            os.waitpid(pid, 0)
        self._running.clear()


def _wait_for_signal(seconds: float | None) -> signal.Signals | None:
    """Return the next signal, or None if none arrives in that time."""
    signals = {signal.SIGCHLD, *STOPPING}
    if seconds is None:
        return signal.Signals(signal.sigwait(signals))
    info = signal.sigtimedwait(signals, seconds)
    return signal.Signals(info.si_signo) if info else None


def _signal_ready(write_fd: int) -> None:
    os.write(write_fd, b".")
    os.close(write_fd)
