"""Day-2 commands: the console script `llmd-pd`. Each is a module that owns one command and what it prints."""
