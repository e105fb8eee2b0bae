"""Run Node programs, from packages whose hashes are locked."""

import os
import re
import shutil
import subprocess
from pathlib import Path

WARNING = re.compile("warn|deprecat|error", re.IGNORECASE)


def run_unchecked(*command: str, cwd: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command with the machine's environment and these variables, and return its result even if it fails."""
    return subprocess.run(command, cwd=cwd, env={**os.environ, **settings}, text=True, capture_output=True, check=False, timeout=300)  # noqa: S603


def run(*command: str, cwd: Path) -> str:
    """Run the command and return its output. Fail if the command fails."""
    result = run_unchecked(*command, cwd=cwd)
    assert result.returncode == 0, result.stdout[-5000:] + result.stderr[-5000:]
    return result.stdout


def run_without_warnings(*command: str, cwd: Path, **settings: str) -> str:
    """Run the command with more environment variables, and return its output. Fail if it fails or warns of anything."""
    result = run_unchecked(*command, cwd=cwd, **settings)
    assert result.returncode == 0, result.stdout[-5000:] + result.stderr[-5000:]
    assert result.stderr == ""
    assert not WARNING.search(result.stdout), result.stdout
    return result.stdout


def install_packages(source: Path, target: Path) -> Path:
    """Copy a Node project and install the packages of its lock file. Return the copy."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("node_modules", "assets", "LICENSES", "__pycache__"))
    run("npm", "ci", cwd=target)
    return target
