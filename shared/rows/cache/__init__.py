"""Cache of rows that were read from files, as Arrow files in the project directory."""
