-- Versions: history over snapshots, as in git. Commits and tags are appended once and never change; a branch is a small head.

-- Rows that were committed have columns of their own: their names and types as canonical text, and as an object without rows.
ALTER TABLE snapshots ADD COLUMN row_schema TEXT;
ALTER TABLE snapshots ADD COLUMN schema_object TEXT;

CREATE TABLE histories (
    id TEXT NOT NULL UNIQUE,
    workspace_id TEXT NOT NULL,
    name TEXT NOT NULL,
    key_column TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    created_by TEXT NOT NULL,
    UNIQUE (workspace_id, name)
);

-- `id` is the digest of the commit; a second parent is what was merged. `column_order` is how the columns were given, as JSON.
CREATE TABLE commits (
    history_id TEXT NOT NULL,
    id TEXT NOT NULL,
    parent_commit_id TEXT,
    merged_commit_id TEXT,
    snapshot_id TEXT NOT NULL,
    tree_digest TEXT NOT NULL,
    column_order TEXT NOT NULL,
    row_count BIGINT NOT NULL,
    added BIGINT NOT NULL,
    removed BIGINT NOT NULL,
    modified BIGINT NOT NULL,
    author TEXT NOT NULL,
    message TEXT NOT NULL,
    committed_at TIMESTAMP NOT NULL,
    UNIQUE (history_id, id)
);

-- The mutable side: where a branch is. Without a head it was deleted; its name may be used again.
CREATE TABLE branches (
    history_id TEXT NOT NULL,
    name TEXT NOT NULL,
    head_commit_id TEXT,
    version INTEGER NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    updated_by TEXT NOT NULL,
    UNIQUE (history_id, name)
);

CREATE TABLE tags (
    history_id TEXT NOT NULL,
    name TEXT NOT NULL,
    commit_id TEXT NOT NULL,
    message TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    created_by TEXT NOT NULL,
    UNIQUE (history_id, name)
);
