"""Programs of Node's, from packages whose hashes are locked."""

import os
import shutil
import subprocess
from pathlib import Path


def ran(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """However it ends; with the machine's own settings, which say where packages come from."""
    return subprocess.run(command, cwd=cwd, env=dict(os.environ), text=True, capture_output=True, check=False, timeout=300)  # noqa: S603


def run(*command: str, cwd: Path) -> str:
    """What it prints."""
    done = ran(*command, cwd=cwd)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    return done.stdout


def installed(source: Path, target: Path) -> Path:
    """A copy of a folder of Node's, with the packages of its lock."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("node_modules", "assets", "LICENSES", "__pycache__"))
    run("npm", "ci", cwd=target)
    return target
