"""What docctl costs, measured beside SQLite's own full-text search in the same run."""
