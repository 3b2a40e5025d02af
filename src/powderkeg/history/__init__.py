"""The stored past: source files, readers, replay. The only floor that knows files."""
