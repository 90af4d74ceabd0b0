"""Limits of files that are read."""

MAX_ROW_CHARACTERS = 16 * 1024**2
"""Characters of a row, of a line, and so of a cell."""
MAX_NAME_CHARACTERS = 65_536
"""Characters of all column names together: every list of datasets carries them."""
MAX_UNPACKED_RATIO = 200
"""Unpacked size of a compressed file, as a multiple of its own. Text has a ratio of 3 to 20."""
FREE_UNPACKED_BYTES = 64 * 1024**2
"""Unpacked bytes that are always allowed."""
