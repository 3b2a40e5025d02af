"""Maps against a venue whose every account is known."""
