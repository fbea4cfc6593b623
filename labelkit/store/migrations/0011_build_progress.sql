-- How far a running build is, as its last sign of life said.
ALTER TABLE build_states ADD COLUMN samples_done BIGINT;
ALTER TABLE build_states ADD COLUMN samples_total BIGINT;
