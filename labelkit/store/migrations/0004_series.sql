-- Who has a draft open, and the sides of a conflict that were not taken.

CREATE TABLE draft_presence (
    session_id TEXT NOT NULL UNIQUE,
    draft_id TEXT NOT NULL,
    user_name TEXT NOT NULL,
    host TEXT NOT NULL,
    frame_index INTEGER NOT NULL,
    opened_at TIMESTAMP NOT NULL,
    seen_at TIMESTAMP NOT NULL,
    closed BOOLEAN NOT NULL
);

-- Append-only: one row a frame whose content lost against the other side. Kept for 30 days.
CREATE TABLE shelved_frames (
    id TEXT NOT NULL UNIQUE,
    draft_id TEXT NOT NULL,
    frame_index INTEGER NOT NULL,
    side TEXT NOT NULL,
    actor TEXT NOT NULL,
    shelved_at TIMESTAMP NOT NULL,
    flags TEXT NOT NULL,
    annotations TEXT NOT NULL
);
