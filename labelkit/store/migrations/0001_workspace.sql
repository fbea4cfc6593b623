-- The ground floor: which migrations were applied, workspaces, who may do what, and the audit trail.
-- Times are UTC without a zone, ids are text made by the client, and nothing has a foreign key to a row that changes.

CREATE TABLE schema_migrations (
    number      INTEGER   NOT NULL,
    name        VARCHAR   NOT NULL,
    applied_at  TIMESTAMP NOT NULL,
    UNIQUE (number)
);

CREATE TABLE workspaces (
    id               VARCHAR   NOT NULL,
    name             VARCHAR   NOT NULL,
    training_policy  VARCHAR   NOT NULL CHECK (training_policy IN ('allowed', 'opted_out')),
    created_at       TIMESTAMP NOT NULL,
    UNIQUE (id),
    UNIQUE (name)
);

-- A member who left keeps the row, without a role.
CREATE TABLE members (
    workspace_id  VARCHAR NOT NULL,
    user_name     VARCHAR NOT NULL,
    role          VARCHAR CHECK (role IN ('viewer', 'annotator', 'reviewer', 'lead', 'owner')),
    UNIQUE (workspace_id, user_name)
);

CREATE TABLE users (
    user_name     VARCHAR NOT NULL,
    is_developer  BOOLEAN NOT NULL,
    is_support    BOOLEAN NOT NULL,
    UNIQUE (user_name)
);

-- Append only. `workspace_id` is null for actions on the store itself; `facts` is a JSON object as text.
CREATE TABLE audit (
    id            VARCHAR   NOT NULL,
    recorded_at   TIMESTAMP NOT NULL,
    workspace_id  VARCHAR,
    actor         VARCHAR   NOT NULL,
    action        VARCHAR   NOT NULL,
    code          VARCHAR   NOT NULL,
    allowed       BOOLEAN   NOT NULL,
    subject       VARCHAR   NOT NULL,
    facts         VARCHAR   NOT NULL
);
