"""Running a program as another account, and seeing it through."""

from __future__ import annotations  # the names of `pwd` are not there on every system

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

if sys.platform != "win32":  # so that another system gets a sentence instead of an ImportError
    import pwd


@contextmanager
def undisturbed() -> Iterator[None]:
    """Interruptions come after the block, since a program that is stopped half way leaves a server behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    late: list[int] = []
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, lambda said, _: late.append(said)) for number in signals]
    try:
        yield
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)
        for said in dict.fromkeys(late):
            signal.raise_signal(said)


def run_as(
    account: pwd.struct_passwd, *command: str | Path, said: str = "", held: tuple[int, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """A program as that account, with nothing of our environment, and out of reach of the terminal's Ctrl-C."""
    how: dict[str, Any] = {"cwd": "/", "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}, "start_new_session": True, "pass_fds": held}
    if not os.geteuid():
        how |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    with undisturbed():
        return subprocess.run(command, input=said, capture_output=True, check=False, errors="replace", **how)  # noqa: S603 - no shell, our programs
