"""No setting of the machine's reaches a test, nor a process that one starts; but which executor: all tests pass with each."""

import os

SETTING_NAMES = [
    name for name in os.environ if name == "DATABASE_URL" or (name.startswith("RELATIES_") and not name.startswith("RELATIES_TEST_"))
]
SETTINGS = {name: os.environ.pop(name) for name in SETTING_NAMES}
KEPT_SETTINGS = {name: value for name, value in SETTINGS.items() if name == "RELATIES_COMPILED_EXECUTOR"}
os.environ.update(KEPT_SETTINGS)
