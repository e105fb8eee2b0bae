"""The tools of client developers accept the schema and its documents: graphql-eslint, Relay's compiler and GraphQL Code Generator."""

import json
import re
import shutil
from hashlib import sha256
from pathlib import Path

import pytest
from graphql import OperationDefinitionNode, build_schema, parse, validate

from tests.support.interop import FOLDER, ROOT
from tests.support.node import run_unchecked, run_without_warnings

pytestmark = pytest.mark.interop
SCHEMA_FILE = ROOT / "schema" / "schema.graphql"
SCHEMA = build_schema(SCHEMA_FILE.read_text())
EXAMPLES = ROOT / "server" / "graphiql" / "examples"

BAD_SCHEMA = '''
"""Root of all queries."""
type Query {
  """Non-null, so that one error removes all other data."""
  thing: Thing!
  """Has no arguments for paging."""
  pages: ThingConnection
  undescribed_thing: Lost
}

"""Has no id, and repeats its name."""
type Thing {
  """Name."""
  thingName: String
}

"""Has no `pageInfo`."""
type ThingConnection {
  """Entries."""
  edges: [ThingEdge]
}

"""Has no cursor."""
type ThingEdge {
  """The entry."""
  node: Thing
}

"""Has no cursors."""
type PageInfo {
  """Whether there is a next page."""
  hasNextPage: Boolean
}

"""Not reachable from the root."""
type Island {
  """Identifier."""
  id: ID!
}

"""Has a deprecated field."""
type Lost {
  """Identifier."""
  id: ID!
  """Old."""
  old: Int @deprecated(reason: "Never was.")
}
'''
BAD_SCHEMA_RULES = {
    *("naming-convention", "no-typename-prefix", "no-unreachable-types", "require-description"),
    *("relay-arguments", "relay-connection-types", "relay-edge-types", "relay-page-info"),
    *("require-nullable-result-in-root", "strict-id-in-types"),
}
BAD_DOCUMENT = "query GetLost($id: ID) { undescribed_thing { old gone } }"
BAD_DOCUMENT_RULES = {
    *("fields-on-correct-type", "match-document-filename", "naming-convention", "no-deprecated", "no-unused-variables"),
    "require-selections",
}


def run_linter(program: Path, *paths: str, cwd: Path) -> dict[str, list[str]]:
    """Return the findings of graphql-eslint for each file. Fail if it warns about a missing rule."""
    result = run_unchecked(str(program / "node_modules" / ".bin" / "eslint"), "--format", "json", *paths, cwd=cwd)
    assert result.returncode in {0, 1}, result.stderr
    assert result.stderr == ""
    return {
        str(Path(file["filePath"]).relative_to(cwd)): [
            f"{finding['ruleId']}, line {finding['line']}: {finding['message']}".removeprefix("@graphql-eslint/")
            for finding in file["messages"]
        ]
        for file in json.loads(result.stdout)
    }


def rule_names(findings_by_file: list[str]) -> set[str]:
    return {finding.partition(",")[0] for finding in findings_by_file}


def operation_names(texts: list[str]) -> set[str]:
    """Return the names of the operations in these documents. Fail if a document is not valid."""
    documents = [parse(text) for text in texts]
    assert [error for document in documents for error in validate(SCHEMA, document)] == []
    return {
        node.name.value
        for document in documents
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode) and node.name
    }


def test_schema_and_documents_pass_the_linter(clients: Path) -> None:
    """All rules are on, except for those that `eslint.config.js` excludes with a reason."""
    findings_by_file = run_linter(clients, "schema.graphql", "documents", "examples", cwd=clients)
    documents = [*FOLDER.glob("documents/*.graphql"), *EXAMPLES.glob("*.graphql")]
    assert len(findings_by_file) == 1 + len(documents) > 15
    assert {file: messages for file, messages in findings_by_file.items() if messages} == {}


def test_linter_detects_errors(clients: Path) -> None:
    """Otherwise no findings would mean nothing."""
    bad = clients / "bad"
    (bad / "documents").mkdir(parents=True)
    shutil.copy(FOLDER / "eslint.config.js", bad)
    (bad / "schema.graphql").write_text(BAD_SCHEMA)
    (bad / "documents" / "bad.graphql").write_text(BAD_DOCUMENT)
    findings_by_file = run_linter(clients, "schema.graphql", "documents", cwd=bad)
    assert rule_names(findings_by_file["schema.graphql"]) == BAD_SCHEMA_RULES
    assert rule_names(findings_by_file["documents/bad.graphql"]) == BAD_DOCUMENT_RULES


def test_relay_compiles_every_operation_and_fragment(for_relay: Path) -> None:
    """Its artifacts include the queries that Relay generates to load more of a connection or to load an object again."""
    source = "".join(path.read_text() for path in FOLDER.glob("relay/*.ts"))
    source_names = set(re.findall(r"(?:query|fragment|mutation) (\w+)|queryName: \"(\w+)\"", source))
    artifact_names = {path.name.removesuffix(".graphql.ts") for path in for_relay.glob("relay/__generated__/*")}
    assert artifact_names == {query or refetch_name for query, refetch_name in source_names}
    assert len(artifact_names) > 8


@pytest.mark.parametrize(("fragment", "path"), [("overview_clients", []), ("client_contacts", ["node"])])
def test_relay_paginates_a_connection(for_relay: Path, fragment: str, path: list[str]) -> None:
    """Pages are loaded forwards: of a root field, and of any client, which Relay loads again by `node`."""
    artifact = (for_relay / "relay" / "__generated__" / f"{fragment}.graphql.ts").read_text()
    match = re.search(r'"forward": {\s+"count": "count",\s+"cursor": "cursor"\s+}.*"fragmentPathInResult": (\[.*?\])', artifact, re.DOTALL)
    assert match
    assert json.loads(match[1]) == path


def test_relay_persists_every_operation_under_its_hash(for_relay: Path) -> None:
    """Each text is valid in our schema, including everything that Relay adds to it."""
    persisted_documents: dict[str, str] = json.loads((for_relay / "persisted.json").read_text())
    artifact_names = {
        path.name.removesuffix(".graphql.ts") for path in for_relay.glob("relay/__generated__/*.graphql.ts") if "_" not in path.name
    }
    assert {key: sha256(text.encode()).hexdigest() for key, text in persisted_documents.items()} == {
        key: key for key in persisted_documents
    }
    assert operation_names(list(persisted_documents.values())) == artifact_names
    assert artifact_names


def test_generated_types_match_expectations(for_typescript: Path) -> None:
    """The TypeScript compiler checks nullability, enums, money as text and one-of inputs in `uses.ts`, with its strictest options."""
    assert run_without_warnings("node_modules/.bin/tsc", "--project", ".", cwd=for_typescript) == ""


def test_codegen_persists_every_operation_under_its_hash(for_typescript: Path) -> None:
    """A client sends it as `documentId` instead of the text."""
    persisted_documents: dict[str, str] = json.loads((for_typescript / "generated" / "persisted-documents.json").read_text())
    operation_names_found = re.findall(
        r"^(?:query|mutation) (\w+)", "".join(path.read_text() for path in FOLDER.glob("documents/*.graphql")), re.MULTILINE
    )
    assert [key for key, text in persisted_documents.items() if key != f"sha256:{sha256(text.encode()).hexdigest()}"] == []
    assert operation_names(list(persisted_documents.values())) == set(operation_names_found)
    assert operation_names_found


def test_relay_accepts_semantic_nulls(for_relay: Path) -> None:
    """A list that only an error makes null has no null in the types of a client that throws on errors."""
    artifact = (for_relay / "relay" / "__generated__" / "client_card.graphql.ts").read_text()
    assert re.search(r"readonly labels: ReadonlyArray<\{\s+readonly name: string;\s+\}>;", artifact)
