"""Run a program as another account, protected from signals."""

from __future__ import annotations  # `pwd` does not exist on every system

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

if sys.platform != "win32":  # Windows gets a message from `open_data_directory` instead of an ImportError
    import pwd


@contextmanager
def defer_signals() -> Iterator[None]:
    """Defer SIGINT, SIGTERM and SIGHUP until the end of the block: an interrupted start or stop would leave a server behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    deferred_signals: list[int] = []
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers = [signal.signal(number, lambda signal_number, _: deferred_signals.append(signal_number)) for number in signals]
    try:
        yield
    finally:
        for number, handler in zip(signals, handlers, strict=True):
            signal.signal(number, handler)
        for signal_number in dict.fromkeys(deferred_signals):
            signal.raise_signal(signal_number)


def run_as(
    account: pwd.struct_passwd, *command: str | Path, stdin: str = "", pass_fds: tuple[int, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a program as the account, without our environment variables, in a session of its own, which Ctrl-C does not reach."""
    options: dict[str, Any] = {"cwd": "/", "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}, "start_new_session": True, "pass_fds": pass_fds}
    if not os.geteuid():
        options |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    with defer_signals():
        return subprocess.run(command, input=stdin, capture_output=True, check=False, errors="replace", **options)  # noqa: S603 - no shell, our programs
