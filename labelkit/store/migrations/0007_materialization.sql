-- Materialization: files made of the frames of dataset versions. A run is appended when it has ended; a head says how far a version is.

CREATE TABLE materialization_runs (
    id TEXT NOT NULL UNIQUE,
    version_id TEXT NOT NULL,
    mode TEXT NOT NULL,
    target TEXT NOT NULL,
    status TEXT NOT NULL,
    tally TEXT NOT NULL,
    failures TEXT NOT NULL,
    cancelled BOOLEAN NOT NULL,
    started_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP NOT NULL,
    created_by TEXT NOT NULL
);

-- The newest run that counts for a version, while it runs too. The lease says until when it counts as alive without another sign of life.
CREATE TABLE materialization_heads (
    version_id TEXT NOT NULL UNIQUE,
    run_id TEXT NOT NULL,
    mode TEXT NOT NULL,
    target TEXT NOT NULL,
    status TEXT NOT NULL,
    tally TEXT NOT NULL,
    holder TEXT NOT NULL,
    lease_until TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    updated_by TEXT NOT NULL
);
