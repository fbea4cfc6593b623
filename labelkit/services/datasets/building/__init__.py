"""A build from its request to its version: what it would decide, the files it promises, the job under way and what it came to."""
