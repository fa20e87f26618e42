"""Harbor: a small cloud of the tests' own, which plugs into the project by one line of the registry."""
