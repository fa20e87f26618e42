"""Commands of the console script `llmd-pd`. Each module holds one command and its output."""
