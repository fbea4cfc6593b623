"""Looking at what was built: lists by pages, what a version was made from, and what is known of it in named texts."""
