"""Review: annotations, the session reducer, drafts, packs, publishing, revisions."""
