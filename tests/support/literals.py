"""Replace literals in a document by any texts, valid or not."""

from collections.abc import Mapping

from graphql import FieldNode, ListValueNode, ObjectValueNode, OperationDefinitionNode, ValueNode, parse

from tests.support.mutation_inputs import Path

Location = dict[str, int]  # line and column, as in an error


def replace_literals(document: str, texts: Mapping[Path, str]) -> tuple[str, list[Location]]:
    """Replace the values at these paths in the first argument of the first field. Return the document and the locations of the texts.

    The document has one line, as those of `mutation_document`. The paths are in the order of the document, and none contains another.
    """
    operation = parse(document).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    field = operation.selection_set.selections[0]
    assert isinstance(field, FieldNode)
    assert field.arguments
    changed, locations, end = "", list[Location](), 0
    for path, text in texts.items():
        replaced = _find_value(field.arguments[0].value, path).loc
        assert replaced
        changed += document[end : replaced.start]
        locations.append({"line": 1, "column": len(changed) + 1})
        changed, end = changed + text, replaced.end
    return changed + document[end:], locations


def replace_literal(document: str, path: Path, text: str) -> str:
    return replace_literals(document, {path: text})[0]


def _find_value(node: ValueNode, path: Path) -> ValueNode:
    for step in path:
        if isinstance(node, ListValueNode):
            node = node.values[int(step)]
        else:
            assert isinstance(node, ObjectValueNode)
            node = next(field.value for field in node.fields if field.name.value == step)
    return node
