"""A fresh machine: a clone, an empty home, two commands. As whoever we are, and where that is root as an ordinary account too."""

import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

pytestmark = pytest.mark.proof
ROOT = Path(__file__).parents[2]
ACCOUNTS = [pwd.getpwuid(os.geteuid()).pw_name, *(["nobody"] if os.geteuid() == 0 else [])]
QUERY = "{ clients(first: 1) { nodes { name contacts { nodes { fullName } } labels { name } revenue { invoiced { amount } } } } }"


@dataclass
class Machine:
    """A home with nothing in it, a clone, and what is run there."""

    account: pwd.struct_passwd
    folder: Path

    @property
    def clone(self) -> Path:
        return self.folder / "relaties"

    @property
    def environment(self) -> dict[str, str]:
        """Of a person's shell, HOME and PATH alone; the data beside the home, so that nobody's own are touched."""
        path = os.environ["PATH"] if self.account.pw_uid == os.geteuid() else "/usr/local/bin:/usr/bin:/bin"
        return {"HOME": str(self.folder), "PATH": path, "RELATIES_DATA_DIR": str(self.folder / "data")}

    def execute(self, *command: str, **more: object) -> "subprocess.Popen[bytes]":
        other = self.account.pw_uid != os.geteuid()
        started: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 our own commands
            command,
            cwd=self.clone,
            env=self.environment | {"RELATIES_PORT": str(self.port)},
            user=self.account.pw_uid if other else None,
            group=self.account.pw_gid if other else None,
            extra_groups=[] if other else None,
            **more,  # type: ignore[call-overload]
        )
        return started

    @property
    def port(self) -> int:
        return 8000 + self.account.pw_uid % 1000 + 1

    def left(self) -> list[str]:
        """Processes of this machine that still run."""
        found = []
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            found += [" ".join(words)] if any(str(self.folder) in word for word in words) else []
        return found


class Terminal:
    """`make run` in a terminal of its own."""

    def __init__(self, machine: Machine) -> None:
        self.began = time.monotonic()
        self.master, slave = os.openpty()
        self.make = machine.execute("setsid", "--ctty", "make", "run", stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        self.printed, self.machine = "", machine

    def answer(self) -> tuple[object, float]:
        """What the first query is answered with, and how many seconds after the command."""
        while not (token := re.search(r"rlt_[A-Za-z0-9_-]{43}\r\n", self.printed)):
            self.printed += os.read(self.master, 10_000).decode(errors="replace")
        headers = {"authorization": f"Bearer {token.group().strip()}"}
        answer = httpx.post(f"http://127.0.0.1:{self.machine.port}/graphql", json={"query": QUERY}, headers=headers, timeout=30).json()
        return answer, time.monotonic() - self.began

    @property
    def relaties(self) -> psutil.Process:
        return next(each for each in psutil.Process(self.make.pid).children(recursive=True) if "serve" in each.cmdline())

    def ended(self) -> list[str]:
        """What is left once make has ended; the terminal is read on meanwhile, as a terminal does."""
        try:
            while os.read(self.master, 10_000):
                pass
        except OSError:
            pass
        os.close(self.master)
        self.make.wait(60)
        return self.machine.left()


@pytest.fixture(scope="module", params=ACCOUNTS)
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    folder = Path(tempfile.mkdtemp(dir="/var/tmp", prefix="fresh-"))
    made = Machine(pwd.getpwnam(request.param), folder)
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(made.clone)], check=True)  # noqa: S603, S607
    folder.chmod(0o711)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, made.account.pw_uid, made.account.pw_gid, follow_symlinks=False)
    yield made
    shutil.rmtree(folder)


def test_make_run_answers_and_ends_without_a_trace(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    """The first start, then Ctrl-C; the second, then SIGTERM; the third, then the terminal is closed; a kill -9, and once more."""
    took = []
    for how in ("Ctrl-C", "SIGTERM", "closed terminal", "kill -9", "Ctrl-C"):
        terminal = Terminal(machine)
        answer, seconds = terminal.answer()
        took.append(f"{how}: {seconds:.1f} s")
        (client,) = answer["data"]["clients"]["nodes"]  # type: ignore[index]
        assert client["name"] == "Aalbersma & Eikelenboom BV"
        assert client["revenue"] == {"invoiced": {"amount": "20790.53"}}
        if how == "Ctrl-C":
            os.write(terminal.master, b"\x03")
        elif how == "SIGTERM":
            terminal.make.send_signal(signal.SIGTERM)
        elif how == "kill -9":
            terminal.relaties.kill()
        if how == "closed terminal":
            server = terminal.relaties
            os.close(terminal.master)
            terminal.make.wait(60)
            psutil.wait_procs([server], 60)
            assert machine.left() == []
        elif how == "kill -9":
            assert any("postgres" in left for left in terminal.ended())
        else:
            assert terminal.ended() == []
    with capsys.disabled():
        print(f"\n{machine.account.pw_name}, load {os.getloadavg()[0]:.1f}: first answer after the command: {', '.join(took)}")  # noqa: T201
    assert (machine.folder / "data" / "demo.token").stat().st_mode & 0o777 == 0o600


def test_make_check_and_make_test_pass(machine: Machine) -> None:
    """In that clone, with what it has installed itself."""
    for target in ("check", "test"):
        made = machine.execute("make", target, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        printed, _ = made.communicate(timeout=900)
        assert made.returncode == 0, printed.decode()[-5000:]
    assert b" failed" not in printed
    assert machine.left() == []
