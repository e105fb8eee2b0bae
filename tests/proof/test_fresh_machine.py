"""A clone and an empty home folder need only two commands. The tests run as the current account and, if that is root, as `nobody` too."""

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
class FreshMachine:
    """An empty home folder with a clone, and the account that runs commands in it."""

    account: pwd.struct_passwd
    folder: Path

    @property
    def clone(self) -> Path:
        return self.folder / "relaties"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a new shell: `HOME`, `PATH` and a data folder of its own, so that no existing data is touched."""
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

    def remaining_processes(self) -> list[str]:
        """Return the command lines of all running processes that mention the folder."""
        processes = []
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            processes += [" ".join(words)] if any(str(self.folder) in word for word in words) else []
        return processes


class MakeTerminal:
    """Run `make run` in a terminal of its own."""

    def __init__(self, machine: FreshMachine) -> None:
        self.began = time.monotonic()
        self.master, slave = os.openpty()
        self.make = machine.execute("setsid", "--ctty", "make", "run", stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        self.output, self.machine = "", machine

    def answer(self) -> tuple[object, float]:
        """Return the response to the first query, and the seconds since the command was started."""
        while not (token := re.search(r"rlt_[A-Za-z0-9_-]{43}\r\n", self.output)):
            self.output += os.read(self.master, 10_000).decode(errors="replace")
        headers = {"authorization": f"Bearer {token.group().strip()}"}
        answer = httpx.post(f"http://127.0.0.1:{self.machine.port}/graphql", json={"query": QUERY}, headers=headers, timeout=30).json()
        return answer, time.monotonic() - self.began

    @property
    def find_relaties_process(self) -> psutil.Process:
        return next(each for each in psutil.Process(self.make.pid).children(recursive=True) if "serve" in each.cmdline())

    def wait_and_list_remaining(self) -> list[str]:
        """Wait until make has ended, and return the processes that remain. The terminal is read meanwhile."""
        try:
            while os.read(self.master, 10_000):
                pass
        except OSError:
            pass
        os.close(self.master)
        self.make.wait(60)
        return self.machine.remaining_processes()


@pytest.fixture(scope="module", params=ACCOUNTS)
def machine(request: pytest.FixtureRequest) -> Iterator[FreshMachine]:
    folder = Path(tempfile.mkdtemp(dir="/var/tmp", prefix="fresh-"))
    fresh_machine = FreshMachine(pwd.getpwnam(request.param), folder)
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(fresh_machine.clone)], check=True)  # noqa: S603, S607
    folder.chmod(0o711)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, fresh_machine.account.pw_uid, fresh_machine.account.pw_gid, follow_symlinks=False)
    yield fresh_machine
    shutil.rmtree(folder)


def test_make_run_answers_and_leaves_nothing(machine: FreshMachine, capsys: pytest.CaptureFixture[str]) -> None:
    """The runs end with Ctrl-C, SIGTERM, the closed terminal, SIGKILL and Ctrl-C again."""
    took = []
    for how in ("Ctrl-C", "SIGTERM", "closed terminal", "kill -9", "Ctrl-C"):
        terminal = MakeTerminal(machine)
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
            terminal.find_relaties_process.kill()
        if how == "closed terminal":
            server = terminal.find_relaties_process
            os.close(terminal.master)
            terminal.make.wait(60)
            psutil.wait_procs([server], 60)
            assert machine.remaining_processes() == []
        elif how == "kill -9":
            assert any("postgres" in process_name for process_name in terminal.wait_and_list_remaining())
        else:
            assert terminal.wait_and_list_remaining() == []
    with capsys.disabled():
        print(f"\n{machine.account.pw_name}, load {os.getloadavg()[0]:.1f}: first answer after the command: {', '.join(took)}")  # noqa: T201
    assert (machine.folder / "data" / "demo.token").stat().st_mode & 0o777 == 0o600


def test_make_check_and_make_test_pass(machine: FreshMachine) -> None:
    """They run in the clone, with the packages that it has installed itself."""
    for target in ("check", "test"):
        process = machine.execute("make", target, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output, _ = process.communicate(timeout=900)
        assert process.returncode == 0, output.decode()[-5000:]
    assert b" failed" not in output
    assert machine.remaining_processes() == []
