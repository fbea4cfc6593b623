-- Scorings of golden examples. Append only: each row names the scores of all examples of a type as one immutable object.
-- `scores_digest` covers the rows themselves, whatever engine wrote the object; `policy` is canonical JSON.
CREATE TABLE golden_scorings (
    workspace_id TEXT NOT NULL,
    example_type TEXT NOT NULL,
    number INTEGER NOT NULL,
    scores_object TEXT NOT NULL,
    scores_digest TEXT NOT NULL,
    policy TEXT NOT NULL,
    policy_digest TEXT NOT NULL,
    example_count BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    created_by TEXT NOT NULL,
    UNIQUE (workspace_id, example_type, number)
);
