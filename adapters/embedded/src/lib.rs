//! Ports with nothing to install: SQLite, in-process lanes and bus, files
