"""What the files are that people hold: each form a table of column names and what they mean."""
