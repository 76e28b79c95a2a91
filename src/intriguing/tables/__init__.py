"""Tables: their tidy form, their cells and their HTML pages."""
