"""Bounds of what is read from a file."""

MAX_ROW_CHARACTERS = 16 * 1024**2
"""Characters of a row, of a line, and so of a cell."""
MAX_NAME_CHARACTERS = 65_536
"""Characters of all column names together: every list of datasets carries them."""
MAX_UNPACKED_RATIO = 200
"""Times its size that a compressed file may have unpacked. Text is 3 to 20 times as long."""
FREE_UNPACKED_BYTES = 64 * 1024**2
"""Bytes that it may have in any case."""
