"""The folder of the JavaScript clients."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "interop" / "clients"
