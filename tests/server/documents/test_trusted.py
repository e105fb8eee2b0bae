"""Every format of a folder of trusted documents is read, and each mistake in one is reported in one line."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.documents.trusted import TrustedDocumentsError, hash_document, load_trusted_documents
from server.settings import DocumentPolicy
from tests.support.processes import run_relaties

FIRST_DOCUMENT, SECOND_DOCUMENT = "query One { __typename }", "query Two { viewer { permissions } }"
APOLLO = {"format": "apollo-persisted-query-manifest", "version": 1}
FORMS = {
    "document.graphql": (FIRST_DOCUMENT, {hash_document(FIRST_DOCUMENT)}),
    "relay.json": (json.dumps({hash_document(FIRST_DOCUMENT): FIRST_DOCUMENT}), {hash_document(FIRST_DOCUMENT)}),
    "codegen.json": (json.dumps({f"sha256:{hash_document(FIRST_DOCUMENT)}": FIRST_DOCUMENT}), {hash_document(FIRST_DOCUMENT)}),
    "named.json": (
        json.dumps({"one": FIRST_DOCUMENT, "two": SECOND_DOCUMENT}),
        {"one", "two", hash_document(FIRST_DOCUMENT), hash_document(SECOND_DOCUMENT)},
    ),
    "apollo.json": (
        json.dumps({**APOLLO, "operations": [{"id": "1", "name": "One", "type": "query", "body": FIRST_DOCUMENT}]}),
        {"1", hash_document(FIRST_DOCUMENT)},
    ),
}
NO_FORM = "the file is neither a map of ids to documents nor an Apollo manifest."
WRONG = {
    "not.json": (b"{", NO_FORM),
    "list.json": (b"[]", NO_FORM),
    "null.json": (b"null", NO_FORM),
    "numbers.json": (b'{"1": 1}', NO_FORM),
    "nested.json": (b'{"1": {"query": "{ __typename }"}}', NO_FORM),
    "newer.json": (json.dumps({**APOLLO, "version": 2, "operations": []}).encode(), NO_FORM),
    "bodiless.json": (json.dumps({**APOLLO, "operations": [{"id": "1"}]}).encode(), NO_FORM),
    "deep.json": (b"[" * 100_000, NO_FORM),
    "latin.json": ('{"é": "{ __typename }"}'.encode("latin-1"), NO_FORM),
    "surrogate.json": (b'{"1": "\\ud800"}', NO_FORM),
    "latin.graphql": ("# é\n{ __typename }".encode("latin-1"), "the file is not UTF-8."),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_format_is_read(tmp_path: Path, name: str) -> None:
    """Documents are found by their ids and by the hashes of their texts. Files of other kinds are ignored."""
    text, keys = FORMS[name]
    (tmp_path / name).write_text(text)
    (tmp_path / "README.md").write_bytes(b"\xff")
    (tmp_path / "older").mkdir()
    documents = load_trusted_documents(tmp_path)
    assert set(documents) == keys
    assert set(documents.values()) <= {FIRST_DOCUMENT, SECOND_DOCUMENT}


def test_all_formats_are_combined(tmp_path: Path) -> None:
    """The same document in several formats is loaded once."""
    for name, (text, _) in FORMS.items():
        (tmp_path / name).write_text(text)
    assert set(load_trusted_documents(tmp_path)) == {key for _, keys in FORMS.values() for key in keys}


@given(st.dictionaries(st.text(min_size=1).filter(lambda key: not key.startswith("sha256:")), st.text()))
def test_map_is_read_literally(tmp_path: Path, documents: dict[str, str]) -> None:
    """Any ids and texts are accepted, because they are only compared."""
    (tmp_path / "map.json").write_text(json.dumps({"last": FIRST_DOCUMENT, **documents}))
    assert load_trusted_documents(tmp_path).items() >= {"last": FIRST_DOCUMENT, **documents}.items()


@pytest.mark.parametrize("name", WRONG)
def test_invalid_file_is_named_in_the_error(tmp_path: Path, name: str) -> None:
    content, why = WRONG[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TrustedDocumentsError) as raised_error:
        load_trusted_documents(tmp_path)
    assert str(raised_error.value) == f"RELATIES_TRUSTED_DOCUMENTS: {tmp_path / name}: {why}"


def test_an_id_of_two_documents_is_rejected(tmp_path: Path) -> None:
    """Otherwise the result would depend on the order of the file names."""
    for name, text in (("a.json", FIRST_DOCUMENT), ("b.json", SECOND_DOCUMENT)):
        (tmp_path / name).write_text(json.dumps({"1": text}))
    with pytest.raises(TrustedDocumentsError, match=r"b\.json: id 1 already belongs to another document of the folder\.$"):
        load_trusted_documents(tmp_path)


def test_without_a_folder_no_document_is_trusted() -> None:
    assert load_trusted_documents(None) == {}


def test_trusted_only_without_a_folder_is_an_error() -> None:
    """With `DocumentPolicy.TRUSTED_ONLY` no request could be answered, so this is reported at startup."""
    with pytest.raises(TrustedDocumentsError, match="required by RELATIES_DOCUMENT_POLICY"):
        load_trusted_documents(None, DocumentPolicy.TRUSTED_ONLY)


@pytest.mark.parametrize(
    ("name", "why"),
    [("empty", "the folder has no documents"), ("file", "cannot be read: Not a directory"), ("gone", "cannot be read: No such file")],
)
def test_missing_folder_is_rejected(tmp_path: Path, name: str, why: str) -> None:
    """An empty or missing folder is most likely a mistake."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text(FIRST_DOCUMENT)
    with pytest.raises(TrustedDocumentsError) as raised_error:
        load_trusted_documents(tmp_path / name)
    assert str(raised_error.value).startswith(f"RELATIES_TRUSTED_DOCUMENTS: {tmp_path / name}: {why}")


def test_server_with_an_invalid_folder_does_not_start(tmp_path: Path) -> None:
    """It reports the mistake in one line, before it creates anything."""
    missing_folder = tmp_path / "gone"
    result = run_relaties("serve", RELATIES_TRUSTED_DOCUMENTS=str(missing_folder), RELATIES_DATA_DIR=str(tmp_path / "data"))
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"RELATIES_TRUSTED_DOCUMENTS: {missing_folder}: cannot be read: No such file or directory.\n"
    assert not (tmp_path / "data").exists()
