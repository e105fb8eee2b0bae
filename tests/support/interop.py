"""The folder of Node's clients."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "interop" / "clients"
