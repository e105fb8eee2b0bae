"""What our users build with: the schema and documents on it are clean in graphql-eslint, and compile for Relay and for TypeScript."""

import json
import re
import shutil
from hashlib import sha256
from pathlib import Path

import pytest
from graphql import OperationDefinitionNode, build_schema, parse, validate

from tests.interop.conftest import FOLDER, ROOT
from tests.node import ran, run

pytestmark = pytest.mark.interop
PRINTED = ROOT / "schema" / "schema.graphql"
SCHEMA = build_schema(PRINTED.read_text())
EXAMPLES = ROOT / "server" / "graphiql" / "examples"

BAD_SCHEMA = '''
"""What can be asked."""
type Query {
  """Never null, so that one failure takes all else with it."""
  thing: Thing!
  """Without a limit."""
  pages: ThingConnection
  undescribed_thing: Lost
}

"""Without an id, and its name twice."""
type Thing {
  """Name."""
  thingName: String
}

"""Without a place."""
type ThingConnection {
  """Entries."""
  edges: [ThingEdge]
}

"""Without a cursor."""
type ThingEdge {
  """The entry."""
  node: Thing
}

"""Without cursors."""
type PageInfo {
  """Whether more follows."""
  hasNextPage: Boolean
}

"""Led to by nothing."""
type Island {
  """Identifier."""
  id: ID!
}

"""Deprecated without a date."""
type Lost {
  """Identifier."""
  id: ID!
  """Old."""
  old: Int @deprecated(reason: "Never was.")
}
'''
BAD_SCHEMA_RULES = {
    *("naming-convention", "no-typename-prefix", "no-unreachable-types", "require-deprecation-date", "require-description"),
    *("relay-arguments", "relay-connection-types", "relay-edge-types", "relay-page-info"),
    *("require-nullable-result-in-root", "strict-id-in-types"),
}
BAD_DOCUMENT = "query GetLost($id: ID) { undescribed_thing { old gone } }"
BAD_DOCUMENT_RULES = {
    *("fields-on-correct-type", "match-document-filename", "naming-convention", "no-deprecated", "no-unused-variables"),
    "require-selections",
}


def findings(program: Path, *places: str, cwd: Path) -> dict[str, list[str]]:
    """What graphql-eslint says of each file. It warns, and goes on without a rule, when it misses something: that fails here."""
    done = ran(str(program / "node_modules" / ".bin" / "eslint"), "--format", "json", *places, cwd=cwd)
    assert done.returncode in {0, 1}, done.stderr
    assert done.stderr == ""
    return {
        str(Path(file["filePath"]).relative_to(cwd)): [
            f"{found['ruleId']}, line {found['line']}: {found['message']}".removeprefix("@graphql-eslint/") for found in file["messages"]
        ]
        for file in json.loads(done.stdout)
    }


def rules(found: list[str]) -> set[str]:
    return {finding.partition(",")[0] for finding in found}


def operations(texts: list[str]) -> set[str]:
    """Names, of texts that are valid one by one."""
    documents = [parse(text) for text in texts]
    assert [error for document in documents for error in validate(SCHEMA, document)] == []
    return {
        node.name.value
        for document in documents
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode) and node.name
    }


def test_the_schema_and_the_documents_are_clean(clients: Path) -> None:
    """By every rule but those that eslint.config.js gives a reason against."""
    found = findings(clients, "schema.graphql", "documents", "examples", cwd=clients)
    documents = [*FOLDER.glob("documents/*.graphql"), *EXAMPLES.glob("*.graphql")]
    assert len(found) == 1 + len(documents) > 15
    assert {file: messages for file, messages in found.items() if messages} == {}


def test_the_linter_finds_what_is_wrong(clients: Path) -> None:
    """Or its silence would mean nothing."""
    bad = clients / "bad"
    (bad / "documents").mkdir(parents=True)
    shutil.copy(FOLDER / "eslint.config.js", bad)
    (bad / "schema.graphql").write_text(BAD_SCHEMA)
    (bad / "documents" / "bad.graphql").write_text(BAD_DOCUMENT)
    found = findings(clients, "schema.graphql", "documents", cwd=bad)
    assert rules(found["schema.graphql"]) == BAD_SCHEMA_RULES
    assert rules(found["documents/bad.graphql"]) == BAD_DOCUMENT_RULES


def test_relay_compiles_every_operation_and_fragment(for_relay: Path) -> None:
    """With those that it makes itself, to read on in a connection and to ask for an object again."""
    source = "".join(path.read_text() for path in FOLDER.glob("relay/*.ts"))
    written = set(re.findall(r"(?:query|fragment|mutation) (\w+)|queryName: \"(\w+)\"", source))
    made = {path.name.removesuffix(".graphql.ts") for path in for_relay.glob("relay/__generated__/*")}
    assert made == {query or refetched for query, refetched in written}
    assert len(made) > 8


@pytest.mark.parametrize(("fragment", "place"), [("overview_clients", []), ("client_contacts", ["node"])])
def test_relay_reads_on_in_a_connection(for_relay: Path, fragment: str, place: list[str]) -> None:
    """Forward: of a field of Query itself, and of any client, which it asks for again as a node."""
    made = (for_relay / "relay" / "__generated__" / f"{fragment}.graphql.ts").read_text()
    found = re.search(r'"forward": {\s+"count": "count",\s+"cursor": "cursor"\s+}.*"fragmentPathInResult": (\[.*?\])', made, re.DOTALL)
    assert found
    assert json.loads(found[1]) == place


def test_relay_persists_every_operation_under_its_hash(for_relay: Path) -> None:
    """Each text is valid here, with all that Relay adds to it."""
    kept: dict[str, str] = json.loads((for_relay / "persisted.json").read_text())
    made = {path.name.removesuffix(".graphql.ts") for path in for_relay.glob("relay/__generated__/*.graphql.ts") if "_" not in path.name}
    assert {key: sha256(text.encode()).hexdigest() for key, text in kept.items()} == {key: key for key in kept}
    assert operations(list(kept.values())) == made
    assert made


def test_the_types_are_those_that_a_caller_counts_on(for_typescript: Path) -> None:
    """What may be null, closed sets, money as text, one of two: by TypeScript's own judgement of uses.ts."""
    run("node_modules/.bin/tsc", "--project", ".", cwd=for_typescript)


def test_codegen_persists_every_operation_under_its_hash(for_typescript: Path) -> None:
    """As documentId that a client sends instead of the text."""
    kept: dict[str, str] = json.loads((for_typescript / "generated" / "persisted-documents.json").read_text())
    asked = re.findall(r"^(?:query|mutation) (\w+)", "".join(path.read_text() for path in FOLDER.glob("documents/*.graphql")), re.MULTILINE)
    assert [key for key, text in kept.items() if key != f"sha256:{sha256(text.encode()).hexdigest()}"] == []
    assert operations(list(kept.values())) == set(asked)
    assert asked


def test_relay_takes_semantic_nulls(for_relay: Path) -> None:
    """A list that only an error makes null is never null to who throws on errors."""
    made = (for_relay / "relay" / "__generated__" / "client_card.graphql.ts").read_text()
    assert re.search(r"readonly labels: ReadonlyArray<\{\s+readonly name: string;\s+\}>;", made)
