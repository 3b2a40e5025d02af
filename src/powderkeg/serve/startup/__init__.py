"""Starting: simulated venues, recorded history, progress."""
