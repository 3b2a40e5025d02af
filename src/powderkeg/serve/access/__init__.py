"""Access control: hosts, tokens, headers, connection limits."""
