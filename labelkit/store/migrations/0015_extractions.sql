-- Extractions of examples from production decisions. Append only.

-- One row a run: where the rows came from (never with secrets), what was done with them, where each ended, how far time was looked at.
CREATE TABLE extractions (
    id TEXT NOT NULL UNIQUE,
    workspace_id TEXT NOT NULL,
    type TEXT NOT NULL,
    type_version INTEGER NOT NULL,
    source_kind TEXT NOT NULL,
    source TEXT NOT NULL,
    plan_digest TEXT NOT NULL,
    mapping_digest TEXT NOT NULL,
    filters_digest TEXT NOT NULL,
    quality_threshold DOUBLE,
    counts TEXT NOT NULL,
    since_column TEXT,
    watermark TEXT,
    created_at TIMESTAMP NOT NULL,
    created_by TEXT NOT NULL
);

-- Decisions whose content was an example already, or the same as another decision's: the example itself names another decision, or none.
CREATE TABLE extraction_links (
    workspace_id TEXT NOT NULL,
    type TEXT NOT NULL,
    decision_id TEXT NOT NULL,
    example_id TEXT NOT NULL,
    extraction_id TEXT NOT NULL,
    UNIQUE (workspace_id, type, decision_id, example_id)
);
