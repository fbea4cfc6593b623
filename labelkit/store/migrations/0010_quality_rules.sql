-- A team's own quality rules. Append only: each row is the whole set of a capability's rules from then on; the newest version counts.
CREATE TABLE quality_rules (
    workspace_id TEXT NOT NULL,
    capability TEXT NOT NULL,
    version INTEGER NOT NULL,
    rules TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    created_by TEXT NOT NULL,
    UNIQUE (workspace_id, capability, version)
);
