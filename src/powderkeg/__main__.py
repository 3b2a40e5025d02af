"""``python -m powderkeg``."""

from powderkeg.cli.main import main

main()
