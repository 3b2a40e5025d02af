"""The simulated market as each venue sees it."""
