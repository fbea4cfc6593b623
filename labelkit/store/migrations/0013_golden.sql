-- Golden examples: their types, their contents, which never change, the small state of each, and what happened to it.

-- Append only; the newest version of a name counts. `schemas` is canonical JSON of the three JSON Schemas.
CREATE TABLE example_types (
    workspace_id TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    schemas TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    created_by TEXT NOT NULL,
    UNIQUE (workspace_id, name, version)
);

-- Append only. `input`, `expected_output` and `labels` are canonical JSON; the id follows from type, input and expected output.
CREATE TABLE example_contents (
    workspace_id TEXT NOT NULL,
    example_id TEXT NOT NULL,
    type TEXT NOT NULL,
    type_version INTEGER NOT NULL,
    input TEXT NOT NULL,
    expected_output TEXT NOT NULL,
    labels TEXT NOT NULL,
    source_decision_id TEXT,
    content_digest TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    created_by TEXT NOT NULL,
    UNIQUE (workspace_id, example_id)
);

-- The state of each example that anything ever happened to; `version` is the number of its newest event. All others are pending, version 1.
CREATE TABLE example_heads (
    workspace_id TEXT NOT NULL,
    example_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'validated', 'rejected')),
    labels TEXT NOT NULL,
    reason TEXT,
    validator TEXT,
    validated_at TIMESTAMP,
    UNIQUE (workspace_id, example_id)
);

-- Append only. The unique key decides between two who change the same version of an example.
CREATE TABLE example_events (
    workspace_id TEXT NOT NULL,
    example_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    step TEXT NOT NULL CHECK (step IN ('relabel', 'validate', 'reject', 'reopen')),
    status_before TEXT NOT NULL,
    status_after TEXT NOT NULL,
    labels_before TEXT,
    labels_after TEXT,
    actor TEXT NOT NULL,
    reason TEXT,
    changed_at TIMESTAMP NOT NULL,
    UNIQUE (workspace_id, example_id, number)
);

-- What everybody reads.
CREATE VIEW examples AS
SELECT
    c.workspace_id,
    c.example_id,
    c.type,
    c.input,
    c.expected_output,
    coalesce(h.labels, c.labels) AS labels,
    c.source_decision_id,
    coalesce(h.status, 'pending') AS status,
    coalesce(h.version, 1) AS version,
    h.reason,
    h.validator,
    h.validated_at,
    c.created_at,
    c.created_by,
    c.content_digest,
    c.type_version
FROM example_contents c
LEFT JOIN example_heads h ON h.workspace_id = c.workspace_id AND h.example_id = c.example_id;
