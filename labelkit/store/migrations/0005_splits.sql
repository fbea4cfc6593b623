-- The split that came with a media, for builds that take the split from a column.
ALTER TABLE media ADD COLUMN split TEXT;
