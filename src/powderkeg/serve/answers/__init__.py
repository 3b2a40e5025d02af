"""What the server answers and sends, as records: the schema of the API follows from them."""
