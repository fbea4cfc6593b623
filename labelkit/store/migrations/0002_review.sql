-- Media, prelabels, drafts, label packs and revisions. Content lives in objects; these rows are small and name it.

CREATE TABLE capabilities (
    workspace_id TEXT NOT NULL,
    name TEXT NOT NULL,
    geometry TEXT NOT NULL,
    classes TEXT NOT NULL,
    default_size DOUBLE PRECISION,
    max_speed DOUBLE PRECISION,
    single BOOLEAN NOT NULL,
    UNIQUE (workspace_id, name)
);

CREATE TABLE media (
    id TEXT NOT NULL UNIQUE,
    workspace_id TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    root TEXT NOT NULL,
    group_key TEXT NOT NULL,
    camera_type TEXT NOT NULL,
    frame_count INTEGER NOT NULL,
    frames_object TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    created_by TEXT NOT NULL,
    UNIQUE (workspace_id, name)
);

CREATE TABLE prelabel_runs (
    id TEXT NOT NULL UNIQUE,
    workspace_id TEXT NOT NULL,
    source_format TEXT NOT NULL,
    source TEXT NOT NULL,
    model TEXT NOT NULL,
    model_version TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    created_by TEXT NOT NULL
);

-- One outcome line of a run: its labels for one media and capability.
CREATE TABLE prelabel_packs (
    id TEXT NOT NULL UNIQUE,
    run_id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    media_id TEXT NOT NULL,
    capability TEXT NOT NULL,
    content_object TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    frame_count INTEGER NOT NULL,
    annotation_count BIGINT NOT NULL,
    report TEXT NOT NULL,
    UNIQUE (run_id, media_id, capability)
);

-- The one active draft of a scope: the scope key is unique, so two openers get the same draft.
CREATE TABLE drafts (
    scope_key TEXT NOT NULL UNIQUE,
    id TEXT NOT NULL UNIQUE,
    workspace_id TEXT NOT NULL,
    media_id TEXT NOT NULL,
    capability TEXT NOT NULL,
    version INTEGER NOT NULL,
    lineage TEXT,
    base_object TEXT,
    epoch INTEGER NOT NULL,
    payload_schema INTEGER NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    updated_by TEXT NOT NULL
);

-- Every save, named by its client, so that a retry is answered and not applied twice.
CREATE TABLE draft_saves (
    save_id TEXT NOT NULL UNIQUE,
    draft_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    actor TEXT NOT NULL,
    saved_at TIMESTAMP NOT NULL
);

-- Append-only: the frames that each save changed, over the draft's base object. The newest version of a frame counts.
CREATE TABLE draft_frames (
    draft_id TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    version INTEGER NOT NULL,
    frame_index INTEGER NOT NULL,
    state TEXT NOT NULL,
    flags TEXT NOT NULL,
    digest TEXT NOT NULL
);

CREATE TABLE draft_annotations (
    draft_id TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    version INTEGER NOT NULL,
    frame_index INTEGER NOT NULL,
    position INTEGER NOT NULL,
    id TEXT NOT NULL,
    label TEXT NOT NULL,
    x DOUBLE PRECISION NOT NULL,
    y DOUBLE PRECISION NOT NULL,
    width DOUBLE PRECISION,
    height DOUBLE PRECISION,
    size DOUBLE PRECISION,
    score DOUBLE PRECISION,
    source TEXT NOT NULL,
    attributes TEXT
);

-- Where each person was in a draft, to come back to the same frame.
CREATE TABLE draft_places (
    draft_id TEXT NOT NULL,
    user_name TEXT NOT NULL,
    frame_index INTEGER NOT NULL,
    seen_at TIMESTAMP NOT NULL,
    UNIQUE (draft_id, user_name)
);

CREATE TABLE label_packs (
    id TEXT NOT NULL UNIQUE,
    scope_key TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    media_id TEXT NOT NULL,
    capability TEXT NOT NULL,
    review_status TEXT NOT NULL,
    validation_status TEXT NOT NULL,
    version INTEGER NOT NULL,
    reason TEXT,
    created_at TIMESTAMP NOT NULL,
    created_by TEXT NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    updated_by TEXT NOT NULL
);

-- The first publish of a scope makes its pack; the unique key decides a race between two first publishes.
CREATE TABLE first_packs (
    scope_key TEXT NOT NULL UNIQUE,
    pack_id TEXT NOT NULL
);

CREATE TABLE revisions (
    id TEXT NOT NULL UNIQUE,
    pack_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    content_hash TEXT NOT NULL,
    content_object TEXT NOT NULL,
    frame_count INTEGER NOT NULL,
    labeled_frame_count INTEGER NOT NULL,
    annotation_count BIGINT NOT NULL,
    provenance TEXT NOT NULL,
    diff TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (pack_id, number)
);

-- Counts a class, so that a preflight over thousands of packs reads no object.
CREATE TABLE revision_classes (
    revision_id TEXT NOT NULL,
    label TEXT NOT NULL,
    annotation_count BIGINT NOT NULL,
    frame_count INTEGER NOT NULL
);

-- The mutable side of a revision.
CREATE TABLE eligibility (
    revision_id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    version INTEGER NOT NULL,
    reason TEXT,
    changed_by TEXT,
    changed_at TIMESTAMP
);
