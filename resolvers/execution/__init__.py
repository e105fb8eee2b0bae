"""Execute operations: compile a query to a plan once, then complete its response one level at a time.

graphql-core walks a response object by object and field by field, and repeats the same decisions for each object. A plan makes them
once, from the document and the values of the variables of its `@skip` and `@include`:

- `selections` collects the fields that a document selects. `compiler` compiles them to the levels of a `plan`.
- `codegen` generates one function for each level, with the expressions of `leaves` and `expressions`.
- `run` takes all rows of a level at once. It loads each relation with one call of its loader, then calls the level's function.
- `plan_cache` keeps a plan as long as its document. `executor` runs plans and falls back to graphql-core.
- `operation` prepares operations and runs them on graphql-core. `arguments` converts the arguments of fields, `projection` finds the
  columns that an operation reads, and `response_size` estimates the size of its response. `strictness` tells whether malformed ids are
  rejected.

For the clients of this document

    { clients { nodes { id name kind labels { name } } } }

the generated function is, apart from its line breaks:

    def build(rows, run, i4):
        return [
            {
                'id': 'cli_' + b2a_base64(s.id.bytes, newline=False)[:22].translate(URL_SAFE).decode(),
                'name': v if (v := s.name).__class__ is str else f2(v),
                'kind': f3(s.kind),
                'labels': (
                    None
                    if (v := next(i4)) is None
                    else [
                        {'name': v if (v := s4.name).__class__ is str else f5(v)} if s4.__class__ in k4 or c4(s4) else None
                        for s4 in run.check_list(v, 1, 812)
                    ]
                ),
            }
            for s in rows
        ]

`rows` are the clients, and `i4` is an iterator over their lists of labels, which `run` has loaded for all of them. A value of the expected
class is used unchanged; any other value goes through graphql-core's serializer (`f2`). A row of a class that is not in the set of known
classes (`k4`) goes through a check (`c4`), which adds the class or raises `FallbackError`. `check_list` counts the objects of the list, and
the maximum of bytes that each adds to the response.

Only queries are compiled, and only for the case without errors. Anything else (null in a non-null place, an exception, a row whose class
belongs to no type, a mutation, introspection, an unknown directive) runs on graphql-core's own executor from the beginning, which reports
the exact errors. That is safe because queries have no side effects, and cheap because loaders do not load again what they have loaded.
"""
