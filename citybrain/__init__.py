"""Command line, settings and the wiring of parts into processes."""
