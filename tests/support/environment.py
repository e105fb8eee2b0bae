"""Remove the machine's settings from the environment, so that no test and no child process reads them.

`RELATIES_COMPILED_EXECUTOR` stays, because the whole suite can be run with either executor.
"""

import os

SETTING_NAMES = [
    name for name in os.environ if name == "DATABASE_URL" or (name.startswith("RELATIES_") and not name.startswith("RELATIES_TEST_"))
]
SETTINGS = {name: os.environ.pop(name) for name in SETTING_NAMES}
KEPT_SETTINGS = {name: value for name, value in SETTINGS.items() if name == "RELATIES_COMPILED_EXECUTOR"}
os.environ.update(KEPT_SETTINGS)
