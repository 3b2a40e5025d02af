"""Who may ask: hosts, tokens, headers, limits of connections."""
