"""Stack files, their rules, the blueprints they describe, and the composition of components."""
