"""One command, one file, named after it. Each has `register(app)`."""
