"""Tables: one tidy schema, its cells, and their pages."""
