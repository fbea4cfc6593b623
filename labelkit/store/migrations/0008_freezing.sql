-- Frozen test sets: what was frozen and unfrozen, who trains on what at this moment, and who evaluated what on which dataset.

-- Append only. The unique key decides between two who change the same version of the state.
CREATE TABLE freeze_events (
    version_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    step TEXT NOT NULL CHECK (step IN ('freeze', 'unfreeze')),
    actor TEXT NOT NULL,
    reason TEXT,
    workspace_id TEXT NOT NULL,
    manifest_hash TEXT NOT NULL,
    changed_at TIMESTAMP NOT NULL,
    UNIQUE (version_id, number)
);

-- The state of each dataset version that was ever frozen; `number` is that of its newest event.
CREATE TABLE freeze_heads (
    version_id TEXT NOT NULL UNIQUE,
    number INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'frozen'))
);

-- What a frozen version consists of. While a row stands here no collection removes the object, whatever happens to the version's own rows.
CREATE TABLE frozen_content (
    version_id TEXT NOT NULL,
    content_object TEXT NOT NULL
);

-- A training under way: open until it is closed, or given up because its process is gone or the lease has run out.
CREATE TABLE training_leases (
    id TEXT NOT NULL UNIQUE,
    version_id TEXT NOT NULL,
    split TEXT,
    purpose TEXT,
    actor TEXT NOT NULL,
    host TEXT NOT NULL,
    holder TEXT NOT NULL,
    opened_at TIMESTAMP NOT NULL,
    lease_until TIMESTAMP NOT NULL,
    ended_at TIMESTAMP,
    ended_by TEXT CHECK (ended_by IN ('closed', 'lost'))
);

-- The holdout ledger, append only: every look that a model, or a person for one, took at a dataset to be judged by it.
CREATE TABLE evaluations (
    id TEXT NOT NULL UNIQUE,
    workspace_id TEXT NOT NULL,
    version_id TEXT NOT NULL,
    was_frozen BOOLEAN NOT NULL,
    split TEXT,
    model TEXT,
    purpose TEXT,
    actor TEXT NOT NULL,
    evaluated_at TIMESTAMP NOT NULL
);

-- What came of an evaluation; `metrics` is a JSON object.
CREATE TABLE evaluation_results (
    evaluation_id TEXT NOT NULL UNIQUE,
    metrics TEXT NOT NULL,
    recorded_at TIMESTAMP NOT NULL
);
