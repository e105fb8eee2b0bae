"""Compare the compiled executor with graphql-core's: both must return the same bytes and send the same statements."""

import json
import re
from collections import Counter
from dataclasses import dataclass

import httpx

from db.tables import Role
from tests.support.api import Api
from tests.support.builders import Tenant
from tests.support.explain import FROM_TABLES
from tests.support.random_documents import Document

AVAILABLE = re.compile(rb',"throttle":\{[^}]*\}')  # differs between two requests
# Parameters have other numbers in a combined statement, and the ids of a page come from its first query.
VALUE = re.compile(r"\(ARRAY\(SELECT id FROM leader LIMIT (\$\d+|NULL)::integer - 1\)\)|\$\d+")


@dataclass
class ExecutorPair:
    """Two servers that differ only in their executor, and the statements that they sent."""

    org: Tenant
    ids: list[str]
    portals: list[str]
    cursors: list[str]
    servers: dict[bool, httpx.AsyncClient]
    statements: list[str]

    async def ask(self, document: Document, role: Role, *, is_compiled: bool) -> tuple[int, bytes, Counter[str]]:
        self.statements.clear()
        api = Api(self.servers[is_compiled], self.org.tokens[role])
        answer = await api.post({"query": document.text, "variables": document.variables, "extensions": {"cost": True}})
        content = AVAILABLE.sub(b"", answer.content)
        return answer.status_code, content, Counter(text for text in self.statements if FROM_TABLES in text and "token_actor" not in text)

    async def check_equal(self, document: Document, role: Role) -> bytes:
        """Check that both executors return the same response with the same statements, and return its body.

        Statements are compared only without errors, since after an error graphql-core executes the document a second time.
        The document is sent twice: from the second time on it is one statement, which also reads the relations of an empty page.
        """
        core = await self.ask(document, role, is_compiled=False)
        assert b'"INTERNAL_SERVER_ERROR"' not in core[1], document.text  # this error would hide a column that was not selected and is read
        for time in (1, 2):
            compiled_answer = await self.ask(document, role, is_compiled=True)
            assert compiled_answer[:2] == core[:2], document.text
            if b'"errors"' not in core[1]:
                sql_text = VALUE.sub("$", " ".join(compiled_answer[2].elements()))
                assert all(sql_text.count(VALUE.sub("$", text)) >= count for text, count in core[2].items()), document.text
                assert time == 1 or compiled_answer[2].total() <= core[2].total(), document.text
        return core[1]

    async def check_equal_failures(self, document: Document, role: Role) -> None:
        """Check that both executors return the same data, byte for byte, and the same errors apart from incident ids and order."""
        core = await self.ask(document, role, is_compiled=False)
        for _ in range(2):
            compiled_answer = await self.ask(document, role, is_compiled=True)
            assert compiled_answer[0] == core[0], document.text
            assert message_of(compiled_answer[1]) == message_of(core[1]), document.text


def message_of(answer: bytes) -> tuple[str, list[str]]:
    body = json.loads(answer)
    errors = body.pop("errors", [])
    for error in errors:
        error["extensions"].pop("incident", None)
    return json.dumps(body), sorted(json.dumps(error) for error in errors)
