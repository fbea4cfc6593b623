"""The store's schema, one numbered SQL file a step; forward only. A file that has been released is never edited."""
