"""The platform's package, as far as the workbench has it."""
