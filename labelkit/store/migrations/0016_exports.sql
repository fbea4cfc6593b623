-- Exports of versions and golden examples beside those of datasets, and what each format had no place for.
ALTER TABLE exports ADD COLUMN kind TEXT;
ALTER TABLE exports ADD COLUMN losses TEXT;
