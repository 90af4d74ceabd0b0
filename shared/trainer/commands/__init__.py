"""Entry points of jobs. They import heavy libraries once the arguments are right."""
