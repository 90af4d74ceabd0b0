"""Text that is safe to print, and streams that take any text."""
