"""A log handler that searches every line for secrets."""

import logging
import re

from server.observability.logging import build_formatter
from server.settings import LogFormat
from tests.support.api import SECRET_KEYS


class SecretSearchHandler(logging.Handler):
    """Format every record as a server in production does, and collect the lines that contain a token or a signing key."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(build_formatter(LogFormat.JSON))
        self.lines_with_secrets = list[str]()

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        if re.search(r"rlt_[A-Za-z0-9_-]{43}", line) or any(secret.decode() in line for secret in SECRET_KEYS):
            self.lines_with_secrets.append(line)
