-- Frames that look alike: hashes of pictures, media that were searched, pairs of media with alike frames, and what reviewers ruled.

-- One row a picture, whatever the number of media that hold it. Hashes are 64 bits, as signed numbers.
CREATE TABLE frame_hashes (
    sha256 TEXT NOT NULL UNIQUE,
    dhash BIGINT NOT NULL,
    phash BIGINT NOT NULL
);

-- All pairs among the media of one workspace's rows here are known. `unavailable` counts frames whose picture could not be read then.
CREATE TABLE searched_media (
    workspace_id TEXT NOT NULL,
    media_id TEXT NOT NULL,
    unavailable INTEGER NOT NULL,
    searched_at TIMESTAMP NOT NULL,
    searched_by TEXT NOT NULL,
    UNIQUE (workspace_id, media_id)
);

-- Evidence: two media of different groups and their closest frames; `frame_pairs` counts the pairs of frames within the distance.
CREATE TABLE near_duplicates (
    workspace_id TEXT NOT NULL,
    id TEXT NOT NULL,
    media_a TEXT NOT NULL,
    media_b TEXT NOT NULL,
    frame_a INTEGER NOT NULL,
    frame_b INTEGER NOT NULL,
    sha256_a TEXT NOT NULL,
    sha256_b TEXT NOT NULL,
    dhash_distance INTEGER NOT NULL,
    phash_distance INTEGER NOT NULL,
    frame_pairs BIGINT NOT NULL,
    found_at TIMESTAMP NOT NULL,
    found_by TEXT NOT NULL,
    UNIQUE (workspace_id, id)
);

-- Append-only: every ruling on a pair; the newest version counts.
CREATE TABLE near_duplicate_rulings (
    workspace_id TEXT NOT NULL,
    pair_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    ruling TEXT NOT NULL,
    reason TEXT NOT NULL,
    ruled_at TIMESTAMP NOT NULL,
    ruled_by TEXT NOT NULL,
    UNIQUE (workspace_id, pair_id, version)
);
