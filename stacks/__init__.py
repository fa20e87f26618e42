"""Stack files: their types, their rules, their blueprint, and the program that registers it."""
