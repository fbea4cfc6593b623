-- Runs of recipes. Every row is written once: a run when it starts, its end when it has one, each build that it started.

-- The notebook of a run without its outputs, as JSON text, once for all runs that share it; what a replay executes.
CREATE TABLE run_notebooks (
    digest TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL
);

-- `identity` holds the parts that `recipe_digest` is made of; `parameters` those that were given; both and `environment` are JSON.
CREATE TABLE runs (
    id TEXT NOT NULL UNIQUE,
    workspace_id TEXT NOT NULL,
    recipe TEXT NOT NULL,
    recipe_digest TEXT NOT NULL,
    identity TEXT NOT NULL,
    source_digest TEXT NOT NULL,
    parameters TEXT NOT NULL,
    environment TEXT NOT NULL,
    replay_of TEXT,
    holder TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    created_by TEXT NOT NULL
);

-- How a run ended: a run without such a row is running, or its process is gone. `notebook_object` is the executed notebook, one row
-- with its text; `notebook_path` is where it was written. `reusable` says that the same recipe digest may be answered by this run.
CREATE TABLE run_ends (
    run_id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    reusable BOOLEAN NOT NULL,
    exit_code INTEGER NOT NULL,
    failure TEXT,
    reason TEXT,
    result TEXT,
    cell_seconds TEXT NOT NULL,
    files TEXT NOT NULL,
    notebook_path TEXT NOT NULL,
    notebook_sha256 TEXT,
    notebook_object TEXT,
    ended_at TIMESTAMP NOT NULL
);

-- The builds that a run started; a build that it found made already is named by its result.
CREATE TABLE run_builds (
    build_id TEXT NOT NULL UNIQUE,
    run_id TEXT NOT NULL
);
