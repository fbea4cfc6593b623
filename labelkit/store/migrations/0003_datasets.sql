-- Datasets: builds and what they made. Rows are appended once; what changes is small: a dataset's newest number, a build's state, a head.

-- Frames without a picture, counted when the media is added, so that a preflight reads no object; null: nobody counted.
ALTER TABLE media ADD COLUMN broken_frame_count INTEGER;

CREATE TABLE datasets (
    id TEXT NOT NULL UNIQUE,
    workspace_id TEXT NOT NULL,
    name TEXT NOT NULL,
    latest INTEGER NOT NULL,
    created_at TIMESTAMP NOT NULL,
    created_by TEXT NOT NULL,
    UNIQUE (workspace_id, name)
);

-- Where the dataset's versions have put each group. A row never changes: a placed group never moves.
CREATE TABLE placements (
    dataset_id TEXT NOT NULL,
    group_key TEXT NOT NULL,
    split TEXT NOT NULL,
    number INTEGER NOT NULL,
    UNIQUE (dataset_id, group_key)
);

-- `version_id` is the id of the version that this build makes, known before it is made. `fingerprint` holds the parts, as JSON.
CREATE TABLE builds (
    id TEXT NOT NULL UNIQUE,
    version_id TEXT NOT NULL UNIQUE,
    dataset_id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    capability TEXT NOT NULL,
    request TEXT NOT NULL,
    reuse_fingerprint TEXT NOT NULL,
    build_fingerprint TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    created_by TEXT NOT NULL
);

-- The mutable side of a build. The lease says until when its process counts as alive without another sign of life.
CREATE TABLE build_states (
    build_id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    lease_until TIMESTAMP,
    holder TEXT,
    ended_at TIMESTAMP,
    failure TEXT,
    reason TEXT
);

-- One successful or running build a fingerprint and workspace: the unique key decides a race between equal requests.
CREATE TABLE build_heads (
    workspace_id TEXT NOT NULL,
    reuse_fingerprint TEXT NOT NULL,
    build_id TEXT NOT NULL,
    UNIQUE (workspace_id, reuse_fingerprint)
);

-- What was decided about each requested pack, with the row that decided, as it was then.
CREATE TABLE build_sources (
    build_id TEXT NOT NULL,
    pack_id TEXT NOT NULL,
    reason TEXT,
    found BOOLEAN NOT NULL,
    workspace_id TEXT NOT NULL,
    workspace TEXT NOT NULL,
    training_policy TEXT NOT NULL,
    media_id TEXT NOT NULL,
    media TEXT NOT NULL,
    group_key TEXT NOT NULL,
    camera_type TEXT NOT NULL,
    frame_count INTEGER NOT NULL,
    capability TEXT NOT NULL,
    review_status TEXT NOT NULL,
    validation_status TEXT NOT NULL,
    revision_id TEXT,
    revision_number INTEGER,
    content_hash TEXT,
    has_revoked BOOLEAN NOT NULL
);

-- How good the content is; a build that failed by it keeps it. Both columns are JSON.
CREATE TABLE build_quality (
    build_id TEXT NOT NULL UNIQUE,
    statistics TEXT NOT NULL,
    evaluation TEXT NOT NULL
);

-- A snapshot is immutable. Its id is made of its chunks and their bytes, `tree_digest` of its rows alone.
CREATE TABLE snapshots (
    id TEXT NOT NULL UNIQUE,
    key_column TEXT NOT NULL,
    tree_digest TEXT NOT NULL,
    row_count BIGINT NOT NULL
);

CREATE TABLE snapshot_chunks (
    snapshot_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    first_key TEXT NOT NULL,
    row_count INTEGER NOT NULL,
    digest TEXT NOT NULL,
    chunk_object TEXT NOT NULL
);

CREATE TABLE dataset_versions (
    id TEXT NOT NULL UNIQUE,
    dataset_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    build_id TEXT NOT NULL UNIQUE,
    snapshot_id TEXT NOT NULL,
    manifest_hash TEXT NOT NULL,
    sample_count BIGINT NOT NULL,
    annotation_count BIGINT NOT NULL,
    split_samples TEXT NOT NULL,
    split_groups TEXT NOT NULL,
    class_counts TEXT NOT NULL,
    stability TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (dataset_id, number)
);

CREATE TABLE exports (
    id TEXT NOT NULL UNIQUE,
    version_id TEXT NOT NULL,
    format TEXT NOT NULL,
    split TEXT,
    path TEXT NOT NULL,
    files TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    created_by TEXT NOT NULL
);
