"""The page: ES modules, styles and their serving. Nothing is built; docs/decisions/0045 says why."""
