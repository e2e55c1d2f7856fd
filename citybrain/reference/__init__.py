"""What the pages of `docs/` are generated from: the code itself. Called by the cog blocks in the pages (`make docs`).

Every function gives Markdown that depends on the code alone: no path, version, clock or terminal width goes in.
"""
