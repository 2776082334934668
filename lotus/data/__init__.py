"""Images: where they come from, how they are stored, split and dealt into batches."""
