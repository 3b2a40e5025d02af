"""What rests in books, and what happens to it."""
