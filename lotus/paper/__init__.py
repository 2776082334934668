"""Tables, figures and the report: everything a reader sees, made from metrics and records."""
